// What code for the JavaScript SDK 0.x does. It sends files chunked, without a length.
import { TwelveLabs } from 'twelvelabs-js';

const { SAMPLE, KEY, LINE } = process.env;
const newer = LINE === 'js-0.4'; // speaks v1.3
const client = new TwelveLabs({ apiKey: KEY });
const report = {};

const fault = async (call) => {
  try {
    await call();
  } catch (error) {
    return `${error.constructor.name} ${error.status ?? error.message}`;
  }
  return '';
};
const create = (name) =>
  client.index.create(
    newer
      ? { name, models: [{ name: 'marengo2.7', options: ['visual', 'audio'] }] }
      : { name, engines: [{ name: 'marengo2.6', options: ['visual', 'conversation'] }] },
  );

const index = await create(LINE);
const other = await create(`${LINE} again`);
await client.index.update(other.id, `${LINE} renamed`);
report.renamed = (await client.index.list({ name: `${LINE} renamed` })).map((i) => i.name);
const pages = await client.index.listPagination({ pageLimit: 1 });
const seen = pages.data.map((i) => i.id);
for (let page; (page = await pages.next()) !== null; ) seen.push(...page.map((i) => i.id));
report.listed = seen.includes(index.id) && new Set(seen).size === seen.length && seen.length >= 2;
report.twice = await fault(() => create(LINE));

const task = await client.task.create({ indexId: index.id, file: SAMPLE, language: 'en' });
const firstVideoId = task.videoId;
await task.waitForDone(500);
report.status = task.status;
report.same_video = (await client.task.retrieve(task.id)).videoId === firstVideoId;
report.tasks = (await client.task.list({ indexId: index.id })).every((t) => t.id === task.id);

const videoId = firstVideoId;
const video = await client.index.video.retrieve(index.id, videoId);
const facts = newer ? video.systemMetadata : video.metadata;
report.facts = [facts.filename, facts.width, facts.height, Math.round(facts.fps), facts.size];
report.videos = (await client.index.video.list(index.id)).every((v) => v.id === videoId);
const path = `indexes/${index.id}/videos/${videoId}`;
if (newer) {
  report.whole = (await client._get(path, { transcription: true })).transcription;
  report.range = (await client._get(`${path}/transcription`, { start: 0, end: 10 })).data;
} else {
  report.whole = await client.index.video.transcription(index.id, videoId);
  report.range = await client.index.video.transcription(index.id, videoId, { start: 0, end: 10 });
}

const options = newer ? ['audio'] : ['conversation'];
const hits = await client.search.query({
  indexId: index.id,
  options,
  queryText: 'thank you',
  pageLimit: 1,
});
const found = [...hits.data];
for (let page; (page = await hits.next()) !== null; ) found.push(...page);
report.found = found.map((hit) => report.whole.find((row) => row.start === hit.start).value);

const words = newer ? { userMetadata: { take: 3 } } : { title: 'A take', metadata: { take: 3 } };
await client.index.video.update(index.id, videoId, words);
const updated = await client.index.video.retrieve(index.id, videoId);
report.updated = { take: (newer ? updated.userMetadata : updated.metadata).take };

const { VIDEO_URL, CAPTIONS_URL } = process.env;
const fetched = await client.task.create({
  indexId: index.id,
  url: VIDEO_URL,
  transcriptionUrl: CAPTIONS_URL,
});
await fetched.waitForDone(500);
const heard = await client._get(`indexes/${index.id}/videos/${fetched.videoId}/transcription`);
report.by_url = heard.data.map((row) => row.value);

report.wrong_key = await fault(() => new TwelveLabs({ apiKey: 'tlk_wrong' }).index.list());
report.unknown = await fault(() => client.index.video.retrieve(index.id, '0'.repeat(24)));
report.too_early = await fault(() => client.task.delete(task.id));
await client.index.video.delete(index.id, videoId);
report.deleted = await fault(() => client.index.video.retrieve(index.id, videoId));
await client.index.delete(index.id);
report.gone = await fault(() => client.index.retrieve(index.id));
console.log(JSON.stringify(report));
