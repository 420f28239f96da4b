"""What people send, checked. The page and the API check with the same fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import PurePath
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.http import QueryDict

from videos import corrections, engines, fetcher, folding, pipeline, timecode
from videos import played as stretches
from videos.corrections import Edited, Seen
from videos.engines.base import MOST_CHARACTERS
from videos.handover import Part
from videos.ingest import DEFAULT_INDEX
from videos.models import Index, Role, Segment, Select, Task, Video
from videos.timecode import Timebase
from videos.uploads import PartFile

MAX_HANDLES = 1000  # frames

DETECT = ("", "Detect by listening")
LANGUAGES = [
    ("ar", "Arabic"),
    ("bg", "Bulgarian"),
    ("ca", "Catalan"),
    ("zh", "Chinese"),
    ("hr", "Croatian"),
    ("cs", "Czech"),
    ("da", "Danish"),
    ("nl", "Dutch"),
    ("en", "English"),
    ("et", "Estonian"),
    ("fi", "Finnish"),
    ("fr", "French"),
    ("de", "German"),
    ("el", "Greek"),
    ("he", "Hebrew"),
    ("hi", "Hindi"),
    ("hu", "Hungarian"),
    ("id", "Indonesian"),
    ("it", "Italian"),
    ("ja", "Japanese"),
    ("ko", "Korean"),
    ("lv", "Latvian"),
    ("lt", "Lithuanian"),
    ("ms", "Malay"),
    ("no", "Norwegian"),
    ("fa", "Persian"),
    ("pl", "Polish"),
    ("pt", "Portuguese"),
    ("ro", "Romanian"),
    ("ru", "Russian"),
    ("sr", "Serbian"),
    ("sk", "Slovak"),
    ("sl", "Slovenian"),
    ("es", "Spanish"),
    ("sv", "Swedish"),
    ("ta", "Tamil"),
    ("th", "Thai"),
    ("tr", "Turkish"),
    ("uk", "Ukrainian"),
    ("ur", "Urdu"),
    ("vi", "Vietnamese"),
    ("cy", "Welsh"),
]
LANGUAGE_NAMES = dict(LANGUAGES)


NAME_TAKEN = "You have an index of this name already."


class MomentField(forms.CharField):
    """A moment as editors write it (``90``, ``1:30.5``, ``01:00:12:10``); read by its form."""

    widget = forms.TextInput(
        attrs={"autocomplete": "off", "inputmode": "text", "placeholder": "0:00", "size": 9}
    )


class RangeForm(forms.Form):
    """Which stretch of a transcript to show; an empty side is open.

    ``base`` says how the video's frames are counted, for those who write timecode. The end may
    be said from the start: ``+10``. A timecode after midnight is known by the video's length.
    """

    start = MomentField(required=False, label="From")
    end = MomentField(required=False, label="To")

    def __init__(
        self, *args: Any, base: Timebase | None = None, length_ms: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.length_ms = length_ms
        self.base = base or timecode.timebase(Fraction(0))

    def clean_start(self) -> int | None:
        text = self.cleaned_data["start"]
        if text[:1] in ("+", "-"):
            raise ValidationError("Only the end can be said from the start, as +10.")
        return self._moment(text)

    def clean_end(self) -> int | None:
        return self._moment(self.cleaned_data["end"], self.cleaned_data.get("start") or 0)

    def _moment(self, text: str, now_ms: int = 0) -> int | None:
        if not text:
            return None
        try:
            return timecode.parse_moment(text, self.base, now_ms=now_ms, length_ms=self.length_ms)
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        start, end = self.cleaned_data.get("start"), self.cleaned_data.get("end")
        if start is not None and end is not None and start >= end:
            self.add_error("end", "The end must come after the start.")
        return self.cleaned_data

    @property
    def start_ms(self) -> int | None:
        return self._side("start")

    @property
    def end_ms(self) -> int | None:
        return self._side("end")

    @property
    def is_open(self) -> bool:
        """Nothing is asked for: the whole transcript."""
        return self.start_ms is None and self.end_ms is None

    @property
    def is_beyond(self) -> bool:
        """It begins where the video has ended."""
        return 0 < self.length_ms <= (self.start_ms or 0)

    @property
    def sentence(self) -> str:
        """All that is wrong, in one line; what is wrong with both sides is said once."""
        return all_faults(self)

    def _side(self, name: str) -> int | None:
        if not self.is_valid():
            return None
        return cast("int | None", self.cleaned_data.get(name))


class SelectForm(RangeForm):
    """A range to keep, inside the video, with what an editor says of it."""

    id = forms.RegexField(r"\A[0-9a-f]{24}\Z", required=False, label="Id")  # which a page gave it
    note = forms.CharField(required=False, max_length=500, label="Note")
    colour = forms.ChoiceField(required=False, choices=Select.Colour.choices, label="Colour")

    def __init__(self, video: Video, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, base=video.timebase, length_ms=video.duration_ms, **kwargs)
        self.video = video
        for side in ("start", "end"):
            self.fields[side].required = True

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        start, end = data.get("start"), data.get("end")
        if start is not None and start >= self.video.duration_ms:
            self.add_error("start", "This lies beyond the end of the video.")
        if end is not None:
            data["end"] = min(end, self.video.duration_ms)
        data["colour"] = data.get("colour") or Select.Colour.GREEN
        return data


def clip_choice() -> forms.ChoiceField:
    """What a clip of a timeline is. The field's name is a word of Python: no class can hold it."""
    kinds = [("rows", "each line a clip"), ("range", "one clip, its lines as markers")]
    return forms.ChoiceField(choices=kinds, required=False)


class LinesForm(forms.Form):
    """Which lines of a range are meant: those with these words, or those that deserve a look."""

    q = forms.CharField(required=False, max_length=200)
    case = forms.BooleanField(required=False)  # that of q counts
    doubt = forms.BooleanField(required=False)  # lines with a reason to doubt them
    gaps = forms.BooleanField(required=False)  # lines before a long silence


class ExportForm(LinesForm, RangeForm):
    """Which lines to hand over and, on a timeline, how."""

    handles = forms.IntegerField(required=False, min_value=0, max_value=MAX_HANDLES)
    transcript = forms.CharField(required=False, max_length=64)  # a task's id; or the shown one
    line = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["as"] = clip_choice()

    @property
    def part(self) -> Part:
        """What is asked for, of a form that is valid."""
        found = self.cleaned_data
        return Part(
            found["start"],
            found["end"],
            found["q"],
            found["handles"] or 0,
            found["as"] == "range",
            found["line"],
            found["case"],
            found["doubt"],
            found["gaps"],
        )


class BinExportForm(forms.Form):
    """How the bin is handed over."""

    handles = forms.IntegerField(required=False, min_value=0, max_value=MAX_HANDLES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["as"] = clip_choice()

    @property
    def handles_and_kind(self) -> dict[str, Any]:
        """What ``handover.write_bin`` takes, of a form that is valid: selects in one piece."""
        found = self.cleaned_data
        return {"handles": found["handles"] or 0, "as_range": found["as"] != "rows"}


class LineForm(RangeForm):
    """A line as an editor wants it, and as it was when the form was made."""

    text = forms.CharField(
        max_length=MOST_CHARACTERS, strip=False, required=False, widget=forms.Textarea, label="Text"
    )
    # Where to split it:
    at = forms.IntegerField(required=False, min_value=0, max_value=MOST_CHARACTERS)
    row = forms.IntegerField(min_value=0, max_value=2**62)
    row_start = forms.IntegerField(min_value=0, max_value=timecode.MAX_MS)
    version = forms.IntegerField(min_value=0, max_value=2**31 - 1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for side in ("start", "end"):
            self.fields[side].required = True

    @property
    def seen(self) -> Seen:
        known = self.cleaned_data
        return Seen(known["row"], known["row_start"], known["version"])

    @property
    def times(self) -> tuple[int, int]:
        return self.cleaned_data["start"], self.cleaned_data["end"]

    @property
    def cut(self) -> tuple[str, int]:
        """The text and where to split it: at the cursor, or where ``|`` was typed."""
        text, at = self.cleaned_data["text"], self.cleaned_data["at"]
        if at is not None or "|" not in text:
            return text, at or 0
        return text.replace("|", "", 1), text.index("|")

    @property
    def sentence(self) -> str:
        """What is wrong, in one sentence; empty when nothing is."""
        return first_fault(self)[1]


Deed = Callable[[User, Task, LineForm], Edited | None]


def _save(user: User, task: Task, form: LineForm) -> Edited | None:
    return corrections.save(user, task, form.seen, form.cleaned_data["text"], form.times)


def _split(user: User, task: Task, form: LineForm) -> Edited | None:
    return corrections.split(user, task, form.seen, *form.cut)


def _merge(user: User, task: Task, form: LineForm) -> Edited | None:
    return corrections.merge(user, task, form.seen, form.cleaned_data["text"])


def _revert(user: User, task: Task, form: LineForm) -> Edited | None:
    return corrections.revert(user, task, form.seen)


def _confirm(user: User, task: Task, form: LineForm) -> Edited | None:
    return corrections.confirm(user, task, form.seen, form.cleaned_data["text"], form.times)


# What a valid form can be for, on a page and in the API.
DEEDS: dict[str, Deed] = {
    "save": _save,
    "split": _split,
    "merge": _merge,
    "revert": _revert,
    "confirm": _confirm,
}


def line_values(row: Segment) -> dict[str, Any]:
    """What a form says about a line that nobody has touched in it yet."""
    known = {"row": row.pk, "row_start": row.start_ms, "version": row.version}
    return known | {"text": row.text, "start": row.start_ms, "end": row.end_ms}


class ReplaceForm(forms.Form):
    """What to look for in a transcript and what to put in its place; both as plain text."""

    find = forms.CharField(max_length=200, label="Find")
    replace = forms.CharField(max_length=200, required=False, label="Replace with", strip=False)
    match_case = forms.BooleanField(required=False, label="Match case")
    whole_words = forms.BooleanField(required=False, label="Whole words only")

    @property
    def pattern(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.fields}


def lines_seen(values: Sequence[str]) -> list[Seen]:
    """Lines as forms name them, ``key-start-version``; what is written otherwise means none."""
    parts = (value.split("-") for value in values)
    lines = [whole_numbers(part) for part in parts if len(part) == 3]
    return [Seen(*line) for line in lines if len(line) == 3]


def whole_numbers(values: Iterable[str]) -> list[int]:
    """Those that are some."""
    return [number for value in values if (number := whole_number(value)) is not None]


def whole_number(text: str) -> int | None:
    """Digits alone, and no more of them than a database has room for."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def first_fault(form: forms.BaseForm) -> tuple[str, str]:
    """The first field that is wrong, and why; two empty strings where none is."""
    return next(((name, str(errors[0])) for name, errors in form.errors.items()), ("", ""))


def all_faults(form: forms.BaseForm) -> str:
    """All that is wrong, in one line; what is wrong with two fields alike is said once."""
    faults = (str(error) for errors in form.errors.values() for error in errors)
    return " ".join(dict.fromkeys(faults))


class FilterForm(LinesForm):
    """Which lines to show: what is looked for, and what is found with it alone."""

    only = forms.BooleanField(required=False)  # lines that have all words of q

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.full_clean()

    @property
    def words(self) -> str:
        return str(self.cleaned_data.get("q", ""))

    @property
    def match_case(self) -> bool:
        return bool(self.words and self.cleaned_data["case"])

    @property
    def terms(self) -> list[str]:
        """What the lines must have, if only those are wanted."""
        if not self.cleaned_data["only"]:
            return []
        return folding.terms(self.words, match_case=self.match_case)

    @property
    def switches(self) -> dict[str, bool]:
        return {name: self.cleaned_data[name] for name in ("doubt", "gaps")}

    @property
    def is_open(self) -> bool:
        """All lines are wanted."""
        return not (self.terms or any(self.switches.values()))

    def query(self, turned: str = "") -> str:
        """As the address says it; with the switch ``turned`` on, or off if it is on."""
        told = {"q": self.words, "case": self.match_case, "only": bool(self.terms)}
        told |= {name: on != (name == turned) for name, on in self.switches.items()}
        return urlencode(
            {name: value if name == "q" else 1 for name, value in told.items() if value}
        )


class StopForm(forms.Form):
    """Where somebody stopped in a video of that length, and what was played."""

    at = forms.IntegerField(min_value=0)
    played = forms.CharField(max_length=stretches.MOST_CHARACTERS)

    def __init__(self, duration_ms: int, data: QueryDict) -> None:
        super().__init__(data)
        self.duration_ms = duration_ms

    def clean_at(self) -> int:
        return min(int(self.cleaned_data["at"]), self.duration_ms)

    def clean_played(self) -> list[stretches.Stretch]:
        try:
            return stretches.read(self.cleaned_data["played"], self.duration_ms)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class IndexForm(forms.ModelForm):  # type: ignore[type-arg]
    engine = forms.ChoiceField(required=False, label="Engine")

    class Meta:
        model = Index
        fields = ["name", "engine"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = cast("forms.ChoiceField", self.fields["engine"])
        choice.choices = index_engine_choices(self.instance.engine)

    def clean_engine(self) -> str:
        """A form without the field leaves the engine as it is."""
        given = self.add_prefix("engine") in self.data
        return str(self.cleaned_data["engine"] if given else self.instance.engine)

    def clean_name(self) -> str:
        """Said here, since the owner is no field of the form and Django would not look."""
        name = str(self.cleaned_data["name"])
        twins = Index.objects.filter(owner_id=self.instance.owner_id, name=name)
        if twins.exclude(pk=self.instance.pk).exists():
            raise ValidationError(NAME_TAKEN, code="taken")
        return name

    def save(self, commit: bool = True) -> Index:
        """What was deleted meanwhile is not made again: raises Index.DoesNotExist. Of two of one
        name at once the database tells the second: raises ValidationError with ``NAME_TAKEN``.

        Of one that is there these fields alone are written, and not what a worker keeps in it.
        """
        try:
            with transaction.atomic():
                return self._write()
        except IntegrityError:
            raise ValidationError(NAME_TAKEN, code="taken") from None

    def _write(self) -> Index:
        index: Index = super().save(commit=False)
        if not index.created_at:
            index.save(force_insert=True)
            return index
        known = Index.objects.filter(pk=index.pk)
        if not known.update(name=index.name, engine=index.engine, updated_at=Now()):
            raise Index.DoesNotExist
        return index


class ApiKeyForm(forms.Form):
    """What a new key is for, so that its owner knows later which one to revoke."""

    name = forms.CharField(max_length=100, label="What is it for?")


class PasswordForm(PasswordChangeForm):
    """Another password; whoever knew the old one may have made keys as well."""

    revoke_keys = forms.BooleanField(
        required=False, initial=True, label="Revoke my API keys too (programs that use them stop)"
    )


class AgainForm(forms.Form):
    """Who shall transcribe a video once more, and in which language."""

    engine = forms.ChoiceField(required=False, label="Engine")
    language = forms.ChoiceField(
        choices=[DETECT, *LANGUAGES], required=False, label="Spoken language"
    )

    def __init__(self, index: Index, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = cast("forms.ChoiceField", self.fields["engine"])
        choice.choices = engine_choices(index.engine)


def engine_choices(usual: str = "") -> list[tuple[str, str]]:
    """Engines by name; the empty choice leaves it to the index, whose engine is ``usual``."""
    offered = _offered_engines()
    return [("", _left_open(usual, offered)), *offered.items()]


def index_engine_choices(chosen: str) -> list[tuple[str, str]]:
    """Engines by name for an index; what it has ``chosen`` stays, though it is not set up now."""
    offered = _offered_engines()
    own = {chosen: _engine_label(chosen, offered)} if chosen else {}
    return [("", _left_open("", offered)), *(offered | own).items()]


def _offered_engines() -> dict[str, str]:
    """Their labels by name."""
    offered = engines.offered(pipeline.engine_config())
    return {name: engine.label for name, engine in offered.items()}


def _left_open(usual: str, offered: dict[str, str]) -> str:
    """What ``ingest.first_task`` takes when nobody names an engine."""
    if usual:
        return f"The index's choice: {_engine_label(usual, offered)}"
    if settings.DEFAULT_ENGINE:
        return f"The site's choice: {_engine_label(settings.DEFAULT_ENGINE, offered)}"
    return "The best that is available"


def _engine_label(name: str, offered: dict[str, str]) -> str:
    if name in offered:
        return offered[name]
    cloud = engines.CLOUD.get(name)
    return f"{cloud.label}, not set up" if cloud else f"{name}, which is not known"


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Several files in one field; each is judged by itself later, so that one cannot spoil all."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[PartFile]:
        files = [file for file in data or [] if file]
        if self.required and not files:
            raise ValidationError("Choose at least one file.")
        return files


class PlaceForm(forms.Form):
    """Where videos go and what is spoken in them: all that is known before their bytes are."""

    gone = "This index was deleted, or is no longer shared with you. Choose another."
    index = forms.ChoiceField(
        required=False, label="Index", error_messages={"invalid_choice": gone}
    )
    new_index = forms.CharField(required=False, max_length=200, label="or a new index")
    language = forms.ChoiceField(
        choices=[DETECT, *LANGUAGES], required=False, label="Spoken language"
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        visible = list(Index.objects.visible_to(user).with_role(user))
        visible.sort(key=lambda index: not index.is_own)  # one's own first, each part by name
        self.visible = {index.pk: index for index in visible}
        self.indexes = [index for index in visible if index.may_edit]
        choice = cast(forms.ChoiceField, self.fields["index"])
        homeless = bool(visible) and not visible[0].is_own  # all of them are somebody else's
        new = [("", f"{DEFAULT_INDEX} (new)")] if homeless else []
        choice.choices = new + [(index.pk, label(index)) for index in self.indexes]

    def clean(self) -> dict[str, Any]:
        """Raises NotAllowed for an index that the user may only read."""
        asked = self.visible.get(self.data.get(self.add_prefix("index"), ""))
        if asked and not self.cleaned_data.get("new_index"):
            asked.require(Role.EDITOR)
        return self.cleaned_data

    def target(self) -> Index:
        """The index that was chosen, or named, or the user's first one; unsaved if it is new."""
        name, chosen = self.cleaned_data["new_index"], self.cleaned_data["index"]
        if not name and chosen:
            return self.visible[chosen]
        own = [index for index in self.indexes if index.is_own]
        twins = [index for index in own if index.name == (name or DEFAULT_INDEX)]
        first = twins if name else own
        return first[0] if first else Index(owner=self.user, name=name or DEFAULT_INDEX)


def label(index: Index) -> str:
    """An index's name in a list of choices; who has one of that name too can tell them apart."""
    return f"{index.name} (of {index.shared_by})" if index.shared_by else index.name


def check_address(url: str) -> None:
    """Refuse what may never be called."""
    if why := fetcher.refusal(url):
        raise ValidationError(why)


class AddressField(forms.CharField):
    """A web address; the fetcher says which may be called."""

    widget = forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"})

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=fetcher.MAX_URL, validators=[check_address], **options)


class AddressForm(PlaceForm):
    """A video by its web address."""

    url = AddressField(label="Address")
    upload_key = forms.CharField(required=False, max_length=50, widget=forms.HiddenInput)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, auto_id="from_%s", **kwargs)


class WebhookForm(forms.Form):
    url = AddressField(label="Address")


class PartsForm(PlaceForm):
    """A file that is going to come in parts, as the browser knows it."""

    name = forms.CharField(max_length=1000)
    size = forms.IntegerField(min_value=1, max_value=10**15)
    modified = forms.IntegerField(min_value=0, max_value=2**62)  # milliseconds since 1970

    def clean_name(self) -> str:
        return str(self.cleaned_data["name"])[-255:]


class CaptionedForm(PlaceForm):
    """What may be said about videos whose bytes are here."""

    captions = ManyFilesField(
        label="Captions to use instead of transcribing (SRT, VTT or JSON)", required=False
    )


class UploadForm(CaptionedForm):
    """Videos with what may be said about them. Nobody needs to say more than "these"."""

    file = ManyFilesField(label="Video or sound files")
    upload_key = forms.CharField(required=False, max_length=50, widget=forms.HiddenInput)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.fields["file"].widget.attrs |= {"accept": "video/*,audio/*,.mkv,.mxf,.mts,.m2ts"}
        self.fields["captions"].widget.attrs |= {"accept": ".srt,.vtt,.json"}

    def clean_file(self) -> list[PartFile]:
        files: list[PartFile] = self.cleaned_data["file"]
        if len(files) > settings.MAX_FILES_AT_ONCE:
            raise ValidationError(f"Send at most {settings.MAX_FILES_AT_ONCE} files at once.")
        return files


def pair(
    files: Sequence[PartFile], captions: Sequence[PartFile]
) -> tuple[list[tuple[PartFile, PartFile | None]], list[PartFile]]:
    """Give each file its captions, by the name before the dot; what belongs to none comes second.

    One file and one captions file belong together whatever their names.
    """
    if len(files) == len(captions) == 1:
        return [(files[0], captions[0])], []
    by_stem = {_stem(file): file for file in captions}
    pairs = [(file, by_stem.get(_stem(file))) for file in files]
    used = {id(found) for _, found in pairs if found}
    return pairs, [file for file in captions if id(file) not in used]


def _stem(file: PartFile) -> str:
    return stem_of(file.name or "").casefold()


def stem_of(name: str) -> str:
    """A file's name before its last dot."""
    return PurePath(name).stem
