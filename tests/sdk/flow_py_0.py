"""What code for the Python SDK 0.x does, from the first index to the last delete."""

import json
import os

from twelvelabs import TwelveLabs

SAMPLE, CAPTIONS, KEY = os.environ["SAMPLE"], os.environ["CAPTIONS"], os.environ["KEY"]
NEWER = os.environ["LINE"] == "py-0.4"  # speaks v1.3
client = TwelveLabs(api_key=KEY)
report = {}


def fault(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except Exception as error:
        return type(error).__name__
    return ""


def create(name):
    if NEWER:
        models = [{"name": "marengo2.7", "options": ["visual", "audio"]}]
        return client.index.create(name=name, models=models)
    engines = [{"name": "marengo2.6", "options": ["visual", "conversation"]}]
    return client.index.create(name=name, engines=engines)


index = create(os.environ["LINE"])
create(os.environ["LINE"] + " again").update(name=os.environ["LINE"] + " renamed")
report["renamed"] = [i.name for i in client.index.list(name=os.environ["LINE"] + " renamed")]
pages = client.index.list_pagination(page_limit=1)
seen = [i.id for i in pages.data]
for page in pages:
    seen += [i.id for i in page]
report["listed"] = index.id in seen and len(seen) == len(set(seen)) == pages.page_info.total_results
report["twice"] = fault(create, os.environ["LINE"])

language = {} if NEWER else {"language": "en"}
task = client.task.create(index_id=index.id, file=SAMPLE, **language)
first_video_id = task.video_id
polls = []
task.wait_for_done(sleep_interval=0.5, callback=lambda task: polls.append(task.status))
report["status"] = task.status
report["same_video"] = client.task.retrieve(task.id).video_id == first_video_id
report["tasks"] = [t.id for t in client.task.list(index_id=index.id)] == [task.id]
counts = client.task.status(index.id)
report["counted"] = (counts.ready, counts.total_result) == (1, 1)

video_id = task.video_id
video = client.index.video.retrieve(index.id, video_id)
facts = video.system_metadata if NEWER else video.metadata
report["facts"] = [facts.filename, facts.width, facts.height, round(facts.fps), facts.size]
report["videos"] = [v.id for v in client.index.video.list(index.id)] == [video_id]


def transcript(video_id, **sides):
    if not NEWER:
        rows = client.index.video.transcription(index.id, video_id, **sides)
        return [{"start": row.start, "end": row.end, "value": row.value} for row in rows]
    path = f"indexes/{index.id}/videos/{video_id}"
    if sides:
        return client.get(f"{path}/transcription", params=sides)["data"]
    return client.get(path, params={"transcription": True})["transcription"]


report["whole"] = transcript(video_id)
report["range"] = transcript(video_id, start=0, end=10)

options = ["audio"] if NEWER else ["conversation"]
hits = client.search.query(index_id=index.id, options=options, query_text="thank you", page_limit=1)
found = list(hits.data) + [hit for page in hits for hit in page]
report["found"] = [
    next(row["value"] for row in report["whole"] if row["start"] == hit.start) for hit in found
]
if not NEWER:
    report["engines"] = [engine.id for engine in client.engine.list()]

if NEWER:
    client.index.video.update(index.id, video_id, user_metadata={"take": 3})
    report["updated"] = client.index.video.retrieve(index.id, video_id).user_metadata
else:
    client.index.video.update(index.id, video_id, title="A take", metadata={"take": 3})
    found = client.index.video.retrieve(index.id, video_id).metadata
    report["updated"] = {"take": found.take}

captioned = client.task.create(index_id=index.id, file=SAMPLE, transcription_file=CAPTIONS)
captioned.wait_for_done(sleep_interval=0.5)
report["captions"] = [row["value"] for row in transcript(captioned.video_id)]

captions = {"transcription_url": os.environ["CAPTIONS_URL"]}
fetched = client.task.create(index_id=index.id, url=os.environ["VIDEO_URL"], **captions)
fetched.wait_for_done(sleep_interval=0.5)
report["by_url"] = [row["value"] for row in transcript(fetched.video_id)]

report["wrong_key"] = fault(TwelveLabs(api_key="tlk_wrong").index.list)
report["unknown"] = fault(client.index.video.retrieve, index.id, "0" * 24)
report["too_early"] = fault(client.task.delete, task.id)
client.index.video.delete(index.id, video_id)
report["deleted"] = fault(client.index.video.retrieve, index.id, video_id)
client.index.delete(index.id)
report["gone"] = fault(client.index.retrieve, index.id)
print(json.dumps(report))
