from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from tests.factories import make_index, make_segments, make_task, make_user, make_video
from videos.models import ApiKey, Index, LostLease, Segment, Status, Step, Tag, Task, Video
from videos.models.api_key import hash_key
from videos.models.ids import new_id
from videos.models.task import TaskQuerySet

pytestmark = pytest.mark.django_db
LEASE = timedelta(seconds=60)


def expire(task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(lease_until=Now() - timedelta(seconds=1))


def test_an_id_is_24_lower_case_hex_digits_and_never_the_same():
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(i) == 24 and set(i) <= set("0123456789abcdef") for i in ids)


def test_what_is_not_yours_is_not_there():
    ann, bob = make_user(), make_user()
    task = make_task(make_video(make_index(ann)))
    for model in (Index, Video, Task):
        assert model.objects.visible_to(ann).count() == 1
        assert model.objects.visible_to(bob).count() == 0
    assert task.video.index.owner == ann


def test_an_index_name_is_taken_once_an_owner():
    index = make_index(name="Interviews")
    make_index(name="Interviews")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_index(index.owner, name="Interviews")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: make_index(name=""),
        lambda: make_segments([(500, 500, "no length")]),
        lambda: make_task(status="done"),
        lambda: make_task(status="failed", error=""),
        lambda: make_video(fps_denominator=0),
    ],
)
def test_the_database_itself_refuses_nonsense(wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        wrong()


def test_a_segment_number_is_taken_once_a_task():
    task = make_task()
    make_segments(2, task)
    with pytest.raises(IntegrityError), transaction.atomic():
        Segment.objects.create(task=task, number=1, start_ms=0, end_ms=1, text="twin")


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        (None, None, ["a", "b", "c"]),
        (2000, 5000, ["b"]),
        (1999, 5001, ["a", "b", "c"]),
        (4000, None, ["c"]),
        (None, 1500, ["a"]),
        (6000, None, []),
    ],
)
def test_a_segment_is_in_a_range_when_it_overlaps_it(start, end, kept):
    task = make_task()
    make_segments([(0, 2000, "a"), (1500, 4000, "b"), (5000, 6000, "c")], task)
    found = task.segments.overlapping(start, end)
    assert [s.text for s in found] == kept


# --- the lease ---


def test_of_two_claims_one_gets_the_task():
    task = make_task()
    assert Task.objects.claim(task.pk, LEASE) is not None
    assert Task.objects.claim(task.pk, LEASE) is None


@pytest.mark.django_db(transaction=True)
def test_a_claim_reads_its_number_in_the_transaction_that_made_it(monkeypatch):
    task, inside = make_task(), []
    get = TaskQuerySet.get

    def watched(self, *args, **options):
        inside.append(transaction.get_connection().in_atomic_block)
        return get(self, *args, **options)

    monkeypatch.setattr(TaskQuerySet, "get", watched)
    assert Task.objects.claim(task.pk, LEASE).lease_no == 1
    assert inside == [True]


def test_a_lease_that_ran_out_is_an_interruption_and_a_new_number():
    task = make_task()
    first = Task.objects.claim(task.pk, LEASE)
    expire(task)
    second = Task.objects.claim(task.pk, LEASE)
    assert (second.lease_no, second.interruptions) == (first.lease_no + 1, 1)


def test_a_task_handed_back_is_no_interruption():
    task = make_task()
    Task.objects.claim(task.pk, LEASE).release()
    assert Task.objects.claim(task.pk, LEASE).interruptions == 0


def test_who_lost_the_lease_writes_nothing_more():
    task = make_task()
    sleeper = Task.objects.claim(task.pk, LEASE)
    expire(task)
    Task.objects.claim(task.pk, LEASE)
    for write in (
        lambda: sleeper.write(done_ms=9),
        lambda: sleeper.write(lease_until=Now() + LEASE),
        sleeper.release,
        lambda: sleeper.end(Status.READY),
    ):
        with pytest.raises(LostLease):
            write()
    task.refresh_from_db()
    assert (task.done_ms, task.status) == (0, Status.VALIDATING)


def test_a_task_that_waits_is_not_due_before_its_time():
    task = make_task()
    Task.objects.claim(task.pk, LEASE).release(after_seconds=60)
    assert Task.objects.claim(task.pk, LEASE) is None
    Task.objects.update(not_before=Now() - timedelta(seconds=1))
    assert Task.objects.claim(task.pk, LEASE) is not None


@pytest.mark.parametrize("status", [Status.READY, Status.FAILED])
def test_an_ended_task_is_never_claimed(status):
    assert Task.objects.claim(make_task(status=status).pk, LEASE) is None


def test_cancel_ends_at_once_and_fences_off_the_worker():
    claimed = Task.objects.claim(make_task().pk, LEASE)
    assert Task.objects.filter(pk=claimed.pk).cancel() == 1
    assert Task.objects.filter(pk=claimed.pk).cancel() == 0
    with pytest.raises(LostLease):
        claimed.write(done_ms=1)
    claimed.refresh_from_db()
    assert (claimed.status, claimed.error, claimed.cancelled) == (Status.FAILED, "Cancelled.", True)


def test_try_again_goes_on_where_it_stopped_and_only_from_failed():
    task = make_task(status=Status.FAILED, done_ms=4000, interruptions=3)
    assert task.try_again()
    assert not task.try_again()
    task.refresh_from_db()
    assert (task.status, task.done_ms, task.interruptions) == (Status.VALIDATING, 4000, 0)


def test_the_owner_who_was_served_longest_ago_comes_first():
    ann, bob = make_index(), make_index()
    many = [make_task(make_video(ann), step=Step.TRANSCRIBE) for _ in range(5)]
    one = make_task(make_video(bob), step=Step.TRANSCRIBE)
    Task.objects.claim(many[0].pk, LEASE)
    order = []
    while task_id := Task.objects.due().at(Step.TRANSCRIBE).next_turn():
        order.append(task_id)
        Task.objects.claim(task_id, LEASE)
    assert order == [one.pk, *(task.pk for task in many[1:])]


@pytest.mark.parametrize("step", [Step.PREPARE, Step.POLL, Step.RECEIVE])
def test_a_small_step_is_no_turn(step):
    ann, bob = make_index(), make_index()
    served = make_task(make_video(ann), step=Step.TRANSCRIBE)
    Task.objects.claim(served.pk, LEASE).end(Status.READY)
    make_task(make_video(ann), step=Step.TRANSCRIBE)
    Task.objects.claim(make_task(make_video(bob), step=step).pk, LEASE)
    hers = make_task(make_video(bob), step=Step.TRANSCRIBE)
    assert Task.objects.due().at(Step.TRANSCRIBE).next_turn() == hers.pk


def test_percent_is_full_only_when_ready():
    task = make_task(done_ms=60_000)
    assert task.percent == 99
    task.status = Status.READY
    assert task.percent == 100


# --- API keys ---


def test_a_key_is_kept_as_a_hash_alone():
    key = ApiKey.make(make_user().pk, "editing bay")
    row = ApiKey.objects.get()
    assert row.hash == hash_key(key)
    assert key.startswith(row.prefix)
    assert key not in str(vars(row))


def test_tags_of_many_names_take_few_queries(django_assert_max_num_queries):
    video = make_video()
    owner = video.index.owner
    Tag.objects.bulk_create([Tag(owner=owner, name=f"t{n}") for n in range(300)])

    with django_assert_max_num_queries(12):
        Tag.objects.put_on(owner, video, [f"T{n}" for n in range(100)])
    assert video.tags.count() == 100 and Tag.objects.count() == 300
    Tag.objects.put_on(owner, video, ["New", "new", "t1", "T1"])
    assert sorted(tag.name for tag in video.tags.all()) == ["New", "t1"]
