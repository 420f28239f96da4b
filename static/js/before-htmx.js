// htmx looks through every attribute of the page for "hx-on:…" by an XPath expression. No page here
// has one, and the policy would not let it run; ten thousand lines cost 40 ms and 12 MB to look
// through. So that one expression finds nothing; should htmx write it otherwise, it is slow again.

const createExpression = XPathEvaluator.prototype.createExpression;

XPathEvaluator.prototype.createExpression = function (text, ...more) {
  if (text.includes('"hx-on:"')) return { evaluate: () => ({ iterateNext: () => null }) };
  return createExpression.call(this, text, ...more);
};
