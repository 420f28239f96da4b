from videos.models.api_key import ApiKey
from videos.models.asset import Asset
from videos.models.index import Index
from videos.models.pulse import Pulse
from videos.models.search_row import SearchRow
from videos.models.segment import Segment
from videos.models.tag import Tag
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
    "SearchRow",
    "Segment",
    "Status",
    "Step",
    "Tag",
    "Task",
    "Upload",
    "Video",
]
