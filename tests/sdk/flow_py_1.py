"""What code for the Python SDK 1.x does, from the first index to the last delete."""

import json
import os
import time

from twelvelabs import TwelveLabs
from twelvelabs.indexes import IndexesCreateRequestModelsItem

SAMPLE, KEY, LINE = os.environ["SAMPLE"], os.environ["KEY"], os.environ["LINE"]
MODELS = [
    IndexesCreateRequestModelsItem(model_name="marengo3.0", model_options=["visual", "audio"])
]
client = TwelveLabs(api_key=KEY)
report = {}


def fault(call, *args, **kwargs):
    try:
        list(call(*args, **kwargs) or [])
    except Exception as error:
        return f"{type(error).__name__} {getattr(error, 'status_code', '')}"
    return ""


index = client.indexes.create(index_name=LINE, models=MODELS)
other = client.indexes.create(index_name=LINE + " again", models=MODELS)
client.indexes.update(other.id, index_name=LINE + " renamed")
report["renamed"] = [i.index_name for i in client.indexes.list(index_name=LINE + " renamed")]
seen = [i.id for i in client.indexes.list(page_limit=1)]
report["listed"] = index.id in seen and len(seen) == len(set(seen)) >= 2
report["twice"] = fault(client.indexes.create, index_name=LINE, models=MODELS)

with open(SAMPLE, "rb") as file:
    made = client.tasks.create(index_id=index.id, video_file=file, user_metadata='{"scene": "1a"}')
polls = []
task = client.tasks.wait_for_done(
    made.id, sleep_interval=0.5, callback=lambda task: polls.append(task.status)
)
report["status"] = task.status
report["same_video"] = task.video_id == made.video_id
found = client.tasks.list(index_id=index.id, status=["ready", "failed"])
report["tasks"] = [t.id for t in found] == [task.id]

video_id = task.video_id
video = client.indexes.videos.retrieve(index.id, video_id, transcription=True)
facts = video.system_metadata
report["facts"] = [facts.filename, facts.width, facts.height, round(facts.fps), facts.size]
listed = client.indexes.videos.list(index.id, page_limit=1, user_metadata={"scene": "1a"})
report["videos"] = [v.id for v in listed] == [video_id]
report["whole"] = [row.dict() for row in video.transcription]
report["range"] = [row for row in report["whole"] if row["start"] < 10]  # 1.x has no window

client.indexes.videos.update(index.id, video_id, user_metadata={"take": 3, "scene": None})
report["updated"] = client.indexes.videos.retrieve(index.id, video_id).user_metadata

hits = client.search.query(
    index_id=index.id, search_options=["audio"], query_text="thank you", page_limit=1
)
report["found"] = [hit.transcription for hit in hits]

with open(SAMPLE, "rb") as file:
    asset = client.assets.create(method="direct", file=file, filename="an asset.mp4")
report["asset"] = client.assets.retrieve(asset.id).status
indexed = client.indexes.indexed_assets.create(index.id, asset_id=asset.id)
while client.indexes.indexed_assets.retrieve(index.id, indexed.id).status != "ready":
    time.sleep(0.5)
rows = client.indexes.indexed_assets.retrieve(index.id, indexed.id, transcription=True)
report["asset_rows"] = [row.value for row in rows.transcription]
heard = client.assets.retrieve_transcription(asset.id, include=["sentences", "utterances"])
report["asset_utterances"] = [row.value for row in heard.utterances]
report["asset_in_use"] = fault(client.assets.delete, asset.id)
client.assets.delete(asset.id, force=True)
report["assets"] = [a.filename for a in client.assets.list(page_limit=1)]

fetched = client.tasks.create(index_id=index.id, video_url=os.environ["VIDEO_URL"])
fetched = client.tasks.wait_for_done(fetched.id, sleep_interval=0.5)
asset = client.assets.create(method="url", url=os.environ["VIDEO_URL"])
while (found := client.assets.retrieve(asset.id)).status == "processing":
    time.sleep(0.5)
report["by_url"] = [fetched.status, found.status, found.filename]
client.assets.delete(asset.id)

upload = client.multipart_upload.upload_file(SAMPLE, filename="in chunks.mp4")
report["chunks"] = [client.assets.retrieve(upload.asset_id).status, upload.asset_url != ""]
opened = client.multipart_upload.create(filename="opened.mp4", type="video", total_size=5)
wait = client.multipart_upload.wait_for_upload_completion
report["opened"] = fault(wait, opened.upload_id, sleep_interval=0.1, max_wait_time=0.1)
client.assets.delete(opened.asset_id)
report["incomplete"] = list(client.multipart_upload.list_incomplete_uploads())
client.assets.delete(upload.asset_id)

stranger = TwelveLabs(api_key="tlk_wrong")
report["wrong_key"] = fault(stranger.indexes.list)
report["unknown"] = fault(client.indexes.videos.retrieve, index.id, "0" * 24)
report["too_early"] = fault(client.tasks.delete, task.id)
client.indexes.videos.delete(index.id, video_id)
report["deleted"] = fault(client.indexes.videos.retrieve, index.id, video_id)
client.indexes.delete(index.id)
report["gone"] = fault(client.indexes.retrieve, index.id)
print(json.dumps(report))
