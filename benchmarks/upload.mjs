// What a script with the JavaScript SDK 1.x does to upload a file: run by benchmarks.api.
import fs from 'node:fs';
import { TwelveLabs } from 'twelvelabs-js';

const client = new TwelveLabs({ apiKey: process.env.KEY });
const models = [{ modelName: 'marengo3.0', modelOptions: ['audio'] }];
const index = await client.indexes.create({ indexName: 'js', models });
const begun = performance.now();
const videoFile = fs.createReadStream(process.env.FILE);
const task = await client.tasks.create({ indexId: index.id, videoFile });
console.log(JSON.stringify({ seconds: (performance.now() - begun) / 1000, video: task.videoId }));
