from videos.models.api_key import ApiKey
from videos.models.asset import Asset
from videos.models.index import Index
from videos.models.pulse import Pulse
from videos.models.remote_deletion import RemoteDeletion
from videos.models.segment import Segment
from videos.models.task import LostLease, Status, Step, Task
from videos.models.upload import Chunk, Upload
from videos.models.video import Video

__all__ = [
    "ApiKey",
    "Asset",
    "Chunk",
    "Index",
    "LostLease",
    "Pulse",
    "RemoteDeletion",
    "Segment",
    "Status",
    "Step",
    "Task",
    "Upload",
    "Video",
]
