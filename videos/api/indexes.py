"""/indexes: make, list, show, rename, delete."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict

from videos import engines, ingest, pipeline
from videos.api import ApiRequest, dialects, errors, paging, params
from videos.api.endpoint import answer, done
from videos.api.paging import Filter
from videos.forms import IndexForm
from videos.models import Index, Role

FILTERS = {
    "_id": Filter("pk", paging.equal),
    "index_name": Filter("name", paging.equal),
    "created_at": Filter("created_at", paging.when),
    "updated_at": Filter("updated_at", paging.when),
}
OPTION_FILTERS = ("engine_options", "model_options")
FAMILY_FILTERS = ("engine_family", "model_family")


def find(request: ApiRequest, index_id: object, role: Role = Role.READER) -> Index:
    """Raises ApiError 404, or NotAllowed where the caller's role is a lesser one."""
    visible = Index.objects.visible_to(request.user).with_role(request.user)
    index = params.find(visible, index_id, "indexes")
    index.require(role)
    return index


def create(request: ApiRequest) -> HttpResponse:
    body = params.body(request, dialects.INDEX_KEYS)
    name = _name(body)
    models = dialects.asked_models(body)
    # Who asks for an engine of ours by its name gets it; Twelve Labs' names leave us the choice.
    offered = engines.offered(pipeline.engine_config())
    ours = next((model["name"] for model in models if model["name"] in offered), "")
    index = Index(owner=request.user, options=models, engine=ours)
    _save(index, name)
    return answer({"_id": index.pk}, status=201)


def list_all(request: ApiRequest) -> HttpResponse:
    indexes = Index.objects.visible_to(request.user)
    query = request.GET.copy()
    wanted = {name: _words(query, name) for name in (*OPTION_FILTERS, *FAMILY_FILTERS)}
    if any(wanted.values()):
        fitting = [index.pk for index in indexes if _fits(index, wanted)]
        indexes = indexes.filter(pk__in=fitting)
    found = paging.narrow(indexes.with_role(request.user).with_totals(), query, FILTERS)
    return answer(paging.page(query, found, dialects.index))


def show(request: ApiRequest, index_id: str) -> HttpResponse:
    visible = Index.objects.visible_to(request.user).with_role(request.user)
    return answer(dialects.index(params.find(visible.with_totals(), index_id, "indexes")))


def rename(request: ApiRequest, index_id: str) -> HttpResponse:
    index = find(request, index_id, Role.OWNER)
    body = params.body(request, dialects.INDEX_KEYS)
    if body.keys() - {"index_name"}:
        message = "Only the name of an index can be changed."
        raise errors.ApiError(400, "index_option_cannot_be_changed", message)
    _save(index, _name(body))
    return done()


def delete(request: ApiRequest, index_id: str) -> HttpResponse:
    ingest.delete_index(find(request, index_id, Role.OWNER))
    return done()


def _name(body: dialects.Json) -> str:
    name = body.get("index_name", "")
    if not params.text("index_name", name).strip():
        raise errors.required("index_name")
    return str(name)


def _save(index: Index, name: str) -> None:
    """Check as the page does."""
    form = IndexForm({"name": name}, instance=index)
    try:
        if form.is_valid():
            form.save()
            return
    except ValidationError:
        raise _taken(name) from None
    except Index.DoesNotExist:
        raise errors.no_such(index.pk, "indexes") from None
    if form.has_error("name", "taken"):
        raise _taken(name)
    raise errors.invalid("index_name", " ".join(str(error) for error in form.errors["name"]))


def _taken(name: str) -> errors.ApiError:
    message = f"Index name {name} already exists. Please use another unique name and try again."
    return errors.ApiError(400, "index_name_already_exists", message)


def _words(query: QueryDict, name: str) -> list[str]:
    """Take a parameter out: repeated or with commas."""
    texts = query.pop(name, [])
    return [word for text in texts for word in params.text(name, str(text)).split(",") if word]


def _fits(index: Index, wanted: dict[str, list[str]]) -> bool:
    """All options that were asked for, and any of the families."""
    models = dialects.kept_models(index)
    options = {option for model in models for option in model["options"]}
    asked = {dialects.OPTIONS.get(o, o) for name in OPTION_FILTERS for o in wanted[name]}
    families = tuple(family for name in FAMILY_FILTERS for family in wanted[name])
    of_family = any(model["name"].startswith(families) for model in models)
    return asked <= options and (of_family or not families)
