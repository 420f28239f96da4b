"""What a script with the Python SDK 1.x does to upload a file: run by ``benchmarks.api``."""

import json
import os
import time

from twelvelabs import TwelveLabs
from twelvelabs.indexes import IndexesCreateRequestModelsItem

models = [IndexesCreateRequestModelsItem(model_name="marengo3.0", model_options=["audio"])]
client = TwelveLabs(api_key=os.environ["KEY"])
index = client.indexes.create(index_name="py", models=models)
begun = time.monotonic()
with open(os.environ["FILE"], "rb") as file:
    task = client.tasks.create(index_id=index.id, video_file=file)
print(json.dumps({"seconds": time.monotonic() - begun, "video": task.video_id}))
