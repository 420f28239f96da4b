// What code for the JavaScript SDK 1.x does. It sends files chunked, without a length.
import fs from 'node:fs';
import { TwelveLabs } from 'twelvelabs-js';

const { SAMPLE, KEY, LINE } = process.env;
const models = [{ modelName: 'marengo3.0', modelOptions: ['visual', 'audio'] }];
const client = new TwelveLabs({ apiKey: KEY });
const report = {};

const fault = async (call) => {
  try {
    await call();
  } catch (error) {
    return `${error.constructor.name} ${error.statusCode ?? error.message}`;
  }
  return '';
};
const all = async (list) => {
  const rows = [];
  for await (const row of await list) rows.push(row);
  return rows;
};

const index = await client.indexes.create({ indexName: LINE, models });
const other = await client.indexes.create({ indexName: `${LINE} again`, models });
await client.indexes.update(other.id, { indexName: `${LINE} renamed` });
report.renamed = (await all(client.indexes.list({ indexName: `${LINE} renamed` }))).map(
  (i) => i.indexName,
);
const seen = (await all(client.indexes.list({ pageLimit: 1 }))).map((i) => i.id);
report.listed = seen.includes(index.id) && new Set(seen).size === seen.length && seen.length >= 2;
report.twice = await fault(() => client.indexes.create({ indexName: LINE, models }));

const made = await client.tasks.create({
  indexId: index.id,
  videoFile: fs.createReadStream(SAMPLE),
  userMetadata: JSON.stringify({ scene: '1a' }),
});
const task = await client.tasks.waitForDone(made.id, { sleepInterval: 0.5 });
report.status = task.status;
report.same_video = task.videoId === made.videoId;
const tasks = await all(client.tasks.list({ indexId: index.id, status: ['ready', 'failed'] }));
report.tasks = tasks.length === 1 && tasks[0].id === task.id;

const videoId = task.videoId;
const video = await client.indexes.videos.retrieve(index.id, videoId, { transcription: true });
const facts = video.systemMetadata;
report.facts = [facts.filename, facts.width, facts.height, Math.round(facts.fps), facts.size];
const own = { pageLimit: 1, userMetadata: { scene: '1a' } };
const videos = await all(client.indexes.videos.list(index.id, own));
report.videos = videos.length === 1 && videos[0].id === videoId;
report.whole = video.transcription;
report.range = video.transcription.filter((row) => row.start < 10); // 1.x has no window

await client.indexes.videos.update(index.id, videoId, { userMetadata: { take: 3, scene: null } });
report.updated = (await client.indexes.videos.retrieve(index.id, videoId)).userMetadata;

const hits = client.search.query({
  indexId: index.id,
  searchOptions: ['audio'],
  queryText: 'thank you',
  pageLimit: 1,
});
report.found = (await all(hits)).map((hit) => hit.transcription);

const asset = await client.assets.create({
  method: 'direct',
  file: fs.createReadStream(SAMPLE),
  filename: 'an asset.mp4',
});
report.asset = (await client.assets.retrieve(asset.id)).status;
const inside = client.indexes.indexedAssets;
const indexed = await inside.create(index.id, { assetId: asset.id });
while ((await inside.retrieve(index.id, indexed.id)).status !== 'ready') {
  await new Promise((resolve) => setTimeout(resolve, 500));
}
const rows = await inside.retrieve(index.id, indexed.id, { transcription: true });
report.asset_rows = rows.transcription.map((row) => row.value);
const heard = await client.assets.retrieveTranscription(asset.id, { include: ['utterances'] });
report.asset_utterances = heard.utterances.map((row) => row.value);
report.asset_in_use = await fault(() => client.assets.delete(asset.id));
await client.assets.delete(asset.id, { force: true });
report.assets = (await all(client.assets.list({ pageLimit: 1 }))).map((a) => a.filename);

const { VIDEO_URL } = process.env;
const begun = await client.tasks.create({ indexId: index.id, videoUrl: VIDEO_URL });
const fetched = await client.tasks.waitForDone(begun.id, { sleepInterval: 0.5 });
const far = await client.assets.create({ method: 'url', url: VIDEO_URL });
let near = far;
while (near.status === 'processing') {
  await new Promise((resolve) => setTimeout(resolve, 500));
  near = await client.assets.retrieve(far.id);
}
report.by_url = [fetched.status, near.status, near.filename];
await client.assets.delete(far.id);

const upload = await client.multipartUpload.uploadFile(SAMPLE, { filename: 'in chunks.mp4' });
report.chunks = [(await client.assets.retrieve(upload.assetId)).status, Boolean(upload.assetUrl)];
const opened = await client.multipartUpload.create({
  filename: 'opened.mp4',
  type: 'video',
  totalSize: 5,
});
const briefly = { sleepInterval: 0.1, maxWaitTime: 0.1 };
report.opened = await fault(() =>
  client.multipartUpload.waitForUploadCompletion(opened.uploadId, briefly),
);
await client.assets.delete(opened.assetId);
report.incomplete = await all(client.multipartUpload.listIncompleteUploads());
await client.assets.delete(upload.assetId);

report.wrong_key = await fault(() => new TwelveLabs({ apiKey: 'tlk_wrong' }).indexes.list());
report.unknown = await fault(() => client.indexes.videos.retrieve(index.id, '0'.repeat(24)));
report.too_early = await fault(() => client.tasks.delete(task.id));
await client.indexes.videos.delete(index.id, videoId);
report.deleted = await fault(() => client.indexes.videos.retrieve(index.id, videoId));
await client.indexes.delete(index.id);
report.gone = await fault(() => client.indexes.retrieve(index.id));
console.log(JSON.stringify(report));
