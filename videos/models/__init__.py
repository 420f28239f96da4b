from videos.models.api_key import ApiKey
from videos.models.asset import Asset
from videos.models.correction import Correction
from videos.models.derivation import Derivation, Kind
from videos.models.fetch import Fetch
from videos.models.index import Index
from videos.models.lease import LostLease
from videos.models.member import Member, NotAllowed, Role
from videos.models.place import Place
from videos.models.pulse import Pulse
from videos.models.remote_deletion import RemoteDeletion
from videos.models.search_row import SearchRow
from videos.models.segment import Segment
from videos.models.select import Select
from videos.models.tag import Tag
from videos.models.task import Status, Step, Task
from videos.models.upload import Chunk, Upload
from videos.models.video import Video
from videos.models.webhook import Delivery, Webhook

__all__ = [
    "ApiKey",
    "Asset",
    "Chunk",
    "Correction",
    "Delivery",
    "Fetch",
    "Derivation",
    "Index",
    "Kind",
    "LostLease",
    "Member",
    "NotAllowed",
    "Place",
    "Pulse",
    "RemoteDeletion",
    "Role",
    "SearchRow",
    "Segment",
    "Select",
    "Status",
    "Step",
    "Tag",
    "Task",
    "Upload",
    "Video",
    "Webhook",
]
