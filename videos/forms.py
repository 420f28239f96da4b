"""What people send, checked. The page and the API check with the same fields."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from videos import engines, pipeline, timecode
from videos.ingest import DEFAULT_INDEX
from videos.models import Index
from videos.uploads import PartFile

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


class ClockField(forms.Field):
    """A moment as people write it (``90``, ``1:30.5``); cleans to milliseconds or None."""

    widget = forms.TextInput(
        attrs={"autocomplete": "off", "inputmode": "text", "placeholder": "0:00", "size": 9}
    )

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return timecode.parse_clock(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class RangeForm(forms.Form):
    """Which stretch of a transcript to show; an empty side is open."""

    start = ClockField(required=False, label="From")
    end = ClockField(required=False, label="To")

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

    def _side(self, name: str) -> int | None:
        if not self.is_valid():
            return None
        return cast("int | None", self.cleaned_data.get(name))


class IndexForm(forms.ModelForm):  # type: ignore[type-arg]
    engine = forms.ChoiceField(required=False, label="Engine")

    class Meta:
        model = Index
        fields = ["name", "engine"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = cast("forms.ChoiceField", self.fields["engine"])
        choice.choices = engine_choices()

    def clean_engine(self) -> str:
        """A form without the field leaves the engine as it is."""
        given = self.add_prefix("engine") in self.data
        return str(self.cleaned_data["engine"] if given else self.instance.engine)

    def clean_name(self) -> str:
        """Said here, since the owner is no field of the form and Django would not look."""
        name = str(self.cleaned_data["name"])
        twins = Index.objects.filter(owner_id=self.instance.owner_id, name=name)
        if twins.exclude(pk=self.instance.pk).exists():
            raise ValidationError("You have an index of this name already.", code="taken")
        return name


class ApiKeyForm(forms.Form):
    """What a new key is for, so that its owner knows later which one to revoke."""

    name = forms.CharField(max_length=100, label="What is it for?")


class AgainForm(forms.Form):
    """Who shall transcribe a video once more, and in which language."""

    engine = forms.ChoiceField(required=False, label="By")
    language = forms.ChoiceField(
        choices=[DETECT, *LANGUAGES], required=False, label="Spoken language"
    )

    def __init__(self, index: Index, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = cast("forms.ChoiceField", self.fields["engine"])
        choice.choices = engine_choices(index.engine)


def engine_choices(usual: str = "") -> list[tuple[str, str]]:
    """Engines by name; the empty choice leaves it to the index, whose engine is ``usual``."""
    offered = engines.offered(pipeline.engine_config())
    labels = [(name, engine.label) for name, engine in offered.items()]
    known = dict(labels).get(usual)
    empty = f"The index's choice: {known}" if known else "The best that is available"
    return [("", empty), *labels]


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

    index = forms.ChoiceField(required=False, label="Index")
    new_index = forms.CharField(required=False, max_length=200, label="or a new index")
    language = forms.ChoiceField(
        choices=[DETECT, *LANGUAGES], required=False, label="Spoken language"
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.indexes = {index.pk: index for index in Index.objects.visible_to(user)}
        choice = cast(forms.ChoiceField, self.fields["index"])
        choice.choices = [(index.pk, index.name) for index in self.indexes.values()]

    def target(self) -> Index:
        """The index that was chosen, or named, or the first one of all; unsaved if it is new."""
        name = self.cleaned_data["new_index"]
        if not name and self.indexes:
            chosen = self.cleaned_data["index"]
            return self.indexes[chosen] if chosen else next(iter(self.indexes.values()))
        name = name or DEFAULT_INDEX
        twins = (index for index in self.indexes.values() if index.name == name)
        return next(twins, Index(owner=self.user, name=name))


class UploadForm(PlaceForm):
    """Videos with what may be said about them. Nobody needs to say more than "these"."""

    file = ManyFilesField(label="Video or sound files")
    captions = ManyFilesField(
        label="Captions to use instead of listening (SRT or VTT)", required=False
    )
    upload_key = forms.CharField(required=False, max_length=50, widget=forms.HiddenInput)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.fields["file"].widget.attrs |= {"accept": "video/*,audio/*,.mkv,.mxf,.mts,.m2ts"}
        self.fields["captions"].widget.attrs |= {"accept": ".srt,.vtt"}

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
    return PurePath(file.name or "").stem.casefold()
