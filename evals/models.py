"""The tables. Up to Grade everything is stored; whatever a page shows beyond that is derived."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from evals.trajectory import StopReason, TurnKind

one_or_more = MinValueValidator(1)
# Wider than Django's slug field: published model names carry dots ("gpt-5.5").
slug_shape = RegexValidator(r"^[a-z0-9]+(?:[-._][a-z0-9]+)*$", "Use lower-case letters, digits, - . and _")


def not_negative(*fields: str) -> list[models.BaseConstraint]:
    """One constraint a field; a NULL passes, for it means unknown."""
    return [
        models.CheckConstraint(condition=Q(**{f"{field}__gte": 0}), name=f"%(class)s_{field}_not_negative")
        for field in fields
    ]


class Domain(models.TextChoices):
    SRE = "sre", "SRE"
    FINOPS = "finops", "FinOps"
    CISO = "ciso", "CISO"


class Benchmark(models.Model):
    """A named, versioned set of tasks with its rules."""

    slug = models.CharField(max_length=80, unique=True, validators=[slug_shape])
    name = models.CharField(max_length=120)
    version = models.CharField(max_length=80, blank=True)
    description = models.TextField(blank=True)
    domain = models.CharField(max_length=10, choices=Domain, default=Domain.SRE)
    turn_cap = models.PositiveIntegerField(default=100, validators=[one_or_more])
    repeats = models.PositiveIntegerField(default=3, validators=[one_or_more])
    grader = models.CharField(max_length=40, default="aa-precision")
    source_url = models.URLField(blank=True)
    licence = models.CharField(max_length=80, blank=True)
    synthetic = models.BooleanField(default=False, help_text="Made by make_incidents, not recorded.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["synthetic", "name"]
        constraints = [
            models.CheckConstraint(condition=Q(turn_cap__gte=1), name="benchmark_turn_cap_at_least_1"),
            models.CheckConstraint(condition=Q(repeats__gte=1), name="benchmark_repeats_at_least_1"),
            models.CheckConstraint(condition=Q(domain__in=Domain.values), name="benchmark_domain_known"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("benchmark", args=[self.slug])


class Split(models.TextChoices):
    PUBLIC = "public", "public"
    HELD_OUT = "held_out", "held out"


class Task(models.Model):
    """One incident to diagnose."""

    benchmark = models.ForeignKey(Benchmark, models.CASCADE, related_name="tasks")
    slug = models.CharField(max_length=80, validators=[slug_shape])
    title = models.CharField(max_length=200, blank=True)
    split = models.CharField(max_length=10, choices=Split, default=Split.PUBLIC)
    fault_category = models.CharField(max_length=80, blank=True)
    snapshot_path = models.TextField(blank=True, help_text="Absolute, or relative to the data folder.")
    manifest = models.JSONField(default=list, help_text="[{path, bytes, sha256}] of what an agent sees")
    ground_truth = models.JSONField(default=dict)
    ground_truth_text = models.TextField(blank=True)
    ground_truth_sha256 = models.CharField(max_length=64, blank=True)
    alert_summary = models.JSONField(default=list)
    imported_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["benchmark_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["benchmark", "slug"], name="task_slug_unique_in_benchmark"),
            models.CheckConstraint(condition=Q(split__in=Split.values), name="task_split_known"),
        ]

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        return reverse("task", args=[self.benchmark.slug, self.slug])

    @property
    def snapshot_folder(self) -> Path:
        return Path(settings.ITBENCH_DATA_DIR, self.snapshot_path)

    @property
    def snapshot_bytes(self) -> int:
        return sum(entry["bytes"] for entry in self.manifest)

    @property
    def held_out(self) -> bool:
        return self.split == Split.HELD_OUT


class LanguageModel(models.Model):
    """A model under test. Prices are US dollars per million tokens; an empty one is unknown, not free."""

    slug = models.CharField(max_length=80, unique=True, validators=[slug_shape])
    name = models.CharField(max_length=120)
    setting = models.CharField(max_length=80, blank=True, help_text="For example: high, max effort.")
    creator = models.CharField(max_length=80, blank=True)
    litellm_model = models.CharField(
        "LiteLLM model",
        max_length=200,
        blank=True,
        help_text="Such as openai/gpt-5.5 or hosted_vllm/my-model. Empty: only published results are known.",
    )
    api_base = models.URLField(blank=True, help_text="Of a server of your own: vLLM, Ollama, llama.cpp.")
    api_key_variable = models.CharField(
        max_length=80,
        blank=True,
        validators=[RegexValidator(r"^[A-Za-z_][A-Za-z0-9_]*$", "Give the name of an environment variable")],
        help_text="Name of the environment variable that holds the key; never the key itself.",
    )
    reasoning_effort = models.CharField(max_length=20, blank=True)
    temperature = models.FloatField(null=True, blank=True)
    max_tokens = models.PositiveIntegerField(null=True, blank=True, help_text="Of one reply.")
    extra_parameters = models.JSONField(default=dict, blank=True)
    open_weights = models.BooleanField(null=True, blank=True)
    reasoning = models.BooleanField(null=True, blank=True)
    released = models.DateField(null=True, blank=True)
    context_window = models.PositiveIntegerField(null=True, blank=True, help_text="In tokens.")
    price_input = models.FloatField(null=True, blank=True)
    price_output = models.FloatField(null=True, blank=True)
    price_cache_read = models.FloatField(null=True, blank=True)
    price_cache_write = models.FloatField(null=True, blank=True)
    prices_as_of = models.DateField(null=True, blank=True)
    prices_source = models.URLField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "setting"]
        constraints = not_negative("price_input", "price_output", "price_cache_read", "price_cache_write")

    def __str__(self) -> str:
        return f"{self.name} ({self.setting})" if self.setting else self.name

    def get_absolute_url(self) -> str:
        return reverse("model", args=[self.slug])

    @property
    def is_baseline(self) -> bool:
        return self.litellm_model.startswith("baseline/")

    @property
    def can_run(self) -> bool:
        return bool(self.litellm_model)


class EvaluationState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"
    CANCELLED = "cancelled"


class SandboxKind(models.TextChoices):
    DOCKER = "docker", "Docker"
    BUBBLEWRAP = "bubblewrap", "bubblewrap"
    PROCESS = "process", "plain process"


class Evaluation(models.Model):
    """One language model on one benchmark with fixed settings."""

    ACTIVE = (EvaluationState.QUEUED, EvaluationState.RUNNING)

    benchmark = models.ForeignKey(Benchmark, models.PROTECT, related_name="evaluations")
    language_model = models.ForeignKey(LanguageModel, models.PROTECT, related_name="evaluations")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="evaluations"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    repeats = models.PositiveIntegerField(validators=[one_or_more])
    turn_cap = models.PositiveIntegerField(validators=[one_or_more])
    cost_limit_usd = models.FloatField(null=True, blank=True, help_text="Of the whole evaluation.")
    run_time_limit_s = models.PositiveIntegerField(default=4 * 3600, validators=[one_or_more])
    concurrency = models.PositiveIntegerField(default=4, validators=[one_or_more])
    sandbox = models.CharField(max_length=12, choices=SandboxKind, blank=True)
    prompt_name = models.CharField(max_length=80, blank=True)
    prompt_text = models.TextField(blank=True)
    prompt_sha256 = models.CharField(max_length=64, blank=True)
    harness = models.CharField(
        max_length=80, blank=True, help_text="What played imported runs. Empty: they were played here."
    )
    harness_version = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=10, choices=EvaluationState, default=EvaluationState.QUEUED)
    reason = models.TextField(blank=True, help_text="Why it is paused or cancelled.")
    manifest = models.JSONField(default=dict, help_text="Versions, image digest, prices used.")

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["benchmark", "language_model", "state"], name="evaluation_board")]
        constraints = [
            models.CheckConstraint(condition=Q(repeats__gte=1), name="evaluation_repeats_at_least_1"),
            models.CheckConstraint(condition=Q(turn_cap__gte=1), name="evaluation_turn_cap_at_least_1"),
            models.CheckConstraint(condition=Q(concurrency__gte=1), name="evaluation_concurrency_at_least_1"),
            models.CheckConstraint(
                condition=Q(state__in=EvaluationState.values), name="evaluation_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=EvaluationState.ENDED) | Q(ended_at__isnull=False),
                name="evaluation_ended_has_its_time",
            ),
            *not_negative("cost_limit_usd"),
        ]

    def __str__(self) -> str:
        return f"Evaluation {self.pk}: {self.language_model} on {self.benchmark}"

    def get_absolute_url(self) -> str:
        return reverse("evaluation", args=[self.pk])

    @property
    def active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def imported(self) -> bool:
        return bool(self.harness)


class RunState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"  # the agent came to an end
    ERRORED = "errored"  # we failed: no score, ever
    CANCELLED = "cancelled"


class Run(models.Model):
    """One attempt at one task. Totals are sums over its turns, kept here so that boards need no turns."""

    evaluation = models.ForeignKey(Evaluation, models.CASCADE, related_name="runs")
    task = models.ForeignKey(Task, models.PROTECT, related_name="runs")
    repeat = models.PositiveIntegerField(validators=[one_or_more])
    attempt = models.PositiveIntegerField(default=0, help_text="How often it was started.")
    state = models.CharField(max_length=10, choices=RunState, default=RunState.QUEUED)
    stop_reason = models.CharField(
        max_length=20, blank=True, choices=[(r.value, r.value) for r in StopReason]
    )
    finish_reason = models.TextField(blank=True, help_text="The agent's own words.")
    error = models.TextField(blank=True)
    note = models.TextField(blank=True, help_text="What a reader should know: a divergence on resuming.")
    claimed_by = models.CharField(max_length=120, blank=True)
    heartbeat = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    submission = models.BinaryField(null=True, blank=True, help_text="As handed in, byte for byte.")
    unsubmitted = models.BinaryField(null=True, blank=True, help_text="Written but never handed in.")
    turns_total = models.PositiveIntegerField(default=0)
    input_tokens = models.PositiveBigIntegerField(default=0)
    cache_read_tokens = models.PositiveBigIntegerField(default=0)
    cache_write_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    reasoning_tokens = models.PositiveBigIntegerField(default=0)
    tokens_known = models.BooleanField(default=True, help_text="False: a reply came without its usage.")
    cost_usd = models.FloatField(null=True, blank=True, default=0, help_text="Empty: unknown.")
    duration_s = models.FloatField(default=0, help_text="Of models and tools together.")

    class Meta:
        ordering = ["evaluation_id", "task_id", "repeat"]
        indexes = [
            models.Index(fields=["evaluation", "state"], name="run_evaluation_state"),
            models.Index(fields=["state", "heartbeat"], name="run_state_heartbeat"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["evaluation", "task", "repeat"], name="run_unique_repeat"),
            models.CheckConstraint(condition=Q(repeat__gte=1), name="run_repeat_at_least_1"),
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="run_state_known"),
            models.CheckConstraint(
                condition=~Q(state=RunState.ENDED) | (~Q(stop_reason="") & Q(ended_at__isnull=False)),
                name="run_ended_says_why_and_when",
            ),
            models.CheckConstraint(
                condition=~Q(state=RunState.ERRORED) | ~Q(error=""), name="run_errored_says_why"
            ),
            models.CheckConstraint(
                condition=~Q(state=RunState.RUNNING) | (~Q(claimed_by="") & Q(heartbeat__isnull=False)),
                name="run_running_is_claimed",
            ),
            *not_negative("cost_usd", "duration_s"),
        ]

    def __str__(self) -> str:
        return f"Run {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("run", args=[self.pk])

    @property
    def tokens_total(self) -> int:
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens + self.output_tokens


class Turn(models.Model):
    """One reply of the model. Its tokens are NULL where the provider did not tell."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="turns")
    number = models.PositiveIntegerField(validators=[one_or_more])
    kind = models.CharField(
        max_length=10, choices=[(k.value, k.value) for k in TurnKind], default=TurnKind.REPLY.value
    )
    message = models.TextField(blank=True)
    reasoning = models.TextField(blank=True)
    finish_reason = models.TextField(blank=True)
    provider_fields = models.JSONField(default=dict, blank=True)
    given = models.JSONField(
        default=list, blank=True, help_text="[{source, text}] told to the model before it, of imported runs."
    )
    unmapped = models.JSONField(
        default=dict, blank=True, help_text="What its format told beyond these columns, of imported runs."
    )
    input_tokens = models.PositiveBigIntegerField(null=True)
    cache_read_tokens = models.PositiveBigIntegerField(null=True)
    cache_write_tokens = models.PositiveBigIntegerField(null=True)
    output_tokens = models.PositiveBigIntegerField(null=True)
    reasoning_tokens = models.PositiveBigIntegerField(null=True)
    cost_usd = models.FloatField(null=True)
    model_s = models.FloatField(default=0)
    started_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["run_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="turn_number_unique_in_run"),
            models.CheckConstraint(condition=Q(number__gte=1), name="turn_number_at_least_1"),
            *not_negative("cost_usd", "model_s"),
        ]

    def __str__(self) -> str:
        return f"Turn {self.number} of run {self.run_id}"


class RunSource(models.Model):
    """Where an imported run came from. Its digest makes a second import of the same run no second run."""

    run = models.OneToOneField(Run, models.CASCADE, primary_key=True, related_name="source")
    format = models.CharField(max_length=40)
    name = models.CharField(max_length=400, help_text="Of the file, within what was handed in.")
    sha256 = models.CharField(max_length=64, unique=True, help_text="Of the trajectory as it was read.")
    unmapped = models.JSONField(
        default=dict, blank=True, help_text="What its format told beyond the tables' columns."
    )
    imported_at = models.DateTimeField(auto_now_add=True)
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.name} ({self.format})"


class ToolCall(models.Model):
    """One use of a tool. `output` is NULL from the moment the reply is saved until the tool has ended."""

    turn = models.ForeignKey(Turn, models.CASCADE, related_name="tool_calls")
    number = models.PositiveIntegerField(validators=[one_or_more])
    # No limits: what a model writes must never fail to be stored, and Gemini signs its calls in their ids.
    call_id = models.TextField()
    tool = models.TextField()
    arguments = models.TextField(blank=True, help_text="As the model wrote them, valid JSON or not.")
    command = models.TextField(blank=True)
    output = models.TextField(null=True)  # noqa: DJ001 - NULL means "not yet", "" means "printed nothing"
    output_bytes = models.PositiveBigIntegerField(default=0, help_text="Before anything was cut.")
    exit_code = models.IntegerField(null=True)
    timed_out = models.BooleanField(default=False)
    duration_s = models.FloatField(default=0)

    class Meta:
        ordering = ["turn_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["turn", "number"], name="tool_call_number_unique_in_turn"),
            *not_negative("duration_s"),
        ]

    def __str__(self) -> str:
        return f"{self.tool} {self.number} of turn {self.turn_id}"


class GradeOutcome(models.TextChoices):
    EXACT = "exact", "exact"
    OVER_REPORTED = "over_reported", "over-reported"
    MISSED = "missed", "missed"
    NO_ANSWER = "no_answer", "no answer"


class Grade(models.Model):
    """What one version of one grader says of a run. A run may have several, one a grader."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="grades")
    grader = models.CharField(max_length=40)
    grader_version = models.PositiveIntegerField()
    score = models.FloatField(validators=[MinValueValidator(0), MaxValueValidator(1)])
    outcome = models.CharField(max_length=15, choices=GradeOutcome)
    true_positives = models.PositiveIntegerField()
    false_positives = models.PositiveIntegerField()
    false_negatives = models.PositiveIntegerField()
    verdicts = models.JSONField(default=list)
    missed = models.JSONField(default=list, help_text="Root causes that were not found.")
    notes = models.JSONField(default=list)
    sightings = models.JSONField(
        default=list,
        blank=True,
        help_text="Of each root cause, the turns where it was first seen and first named.",
    )
    ground_truth_sha256 = models.CharField(max_length=64, blank=True)
    graded_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["run_id", "grader", "-grader_version"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "grader", "grader_version"], name="grade_unique_per_grader"
            ),
            models.CheckConstraint(condition=Q(score__gte=0, score__lte=1), name="grade_score_0_to_1"),
            models.CheckConstraint(
                condition=~Q(outcome=GradeOutcome.EXACT) | Q(score=1), name="grade_exact_scores_1"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=[GradeOutcome.EXACT, GradeOutcome.OVER_REPORTED]) | Q(score=0),
                name="grade_without_full_recall_scores_0",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.score:.3f} by {self.grader} {self.grader_version}"


class Remark(models.Model):
    """What staff say of a run or of one of its turns: a failure tag, a comment, or both."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="remarks")
    turn = models.ForeignKey(Turn, models.CASCADE, null=True, blank=True, related_name="remarks")
    tag = models.CharField(max_length=40, blank=True)
    comment = models.TextField(blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="remarks"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["run_id", "created_at", "id"]
        indexes = [models.Index(fields=["tag", "run"], name="remark_tag_run")]
        constraints = [
            models.CheckConstraint(condition=~Q(tag="") | ~Q(comment=""), name="remark_says_something"),
            # A tag says the same however often it is set.
            models.UniqueConstraint(
                fields=["run", "tag"],
                condition=Q(turn__isnull=True) & ~Q(tag=""),
                name="remark_tags_a_run_once",
            ),
            models.UniqueConstraint(
                fields=["turn", "tag"], condition=~Q(tag=""), name="remark_tags_a_turn_once"
            ),
        ]

    def __str__(self) -> str:
        return self.tag or self.comment[:60]


class PublishedResult(models.Model):
    """A number somebody else published. Never ranked together with runs made here."""

    benchmark = models.ForeignKey(Benchmark, models.CASCADE, related_name="published_results")
    language_model = models.ForeignKey(LanguageModel, models.PROTECT, related_name="published_results")
    agent = models.CharField(max_length=80, blank=True)
    score = models.FloatField()
    cost_per_task_usd = models.FloatField(null=True, blank=True)
    turns_per_task = models.FloatField(null=True, blank=True)
    tokens_per_task = models.FloatField(null=True, blank=True)
    score_per_task = models.JSONField(null=True, blank=True, help_text="{task: score}, where published")
    as_of = models.CharField(max_length=10, help_text="As exact as the source: 2026-10 or 2026-10-05.")
    source_name = models.CharField(max_length=120)
    source_url = models.URLField()

    class Meta:
        ordering = ["benchmark", "-score"]
        constraints = [
            models.UniqueConstraint(
                fields=["benchmark", "language_model", "agent", "as_of", "source_url"],
                name="published_result_unique",
            ),
            models.CheckConstraint(condition=Q(score__gte=0, score__lte=1), name="published_score_0_to_1"),
            *not_negative("cost_per_task_usd", "turns_per_task", "tokens_per_task"),
        ]

    def __str__(self) -> str:
        return f"{self.language_model}: {self.score:.3f}, {self.source_name}, {self.as_of}"


class Worker(models.Model):
    """A process that executes runs, as long as its heart beats."""

    name = models.CharField(max_length=120, unique=True)
    threads = models.PositiveIntegerField(default=1)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class BoardVersion(models.Model):
    """Counts the changes of whatever a benchmark's pages show. The database's own triggers write it.

    See `evals.triggers`: a cached page is kept under this number, so no writer can forget to tell.
    """

    benchmark = models.OneToOneField(
        Benchmark, models.CASCADE, primary_key=True, related_name="board_version"
    )
    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.benchmark_id}: {self.number}"


# Newest version first: what a page shows where a run has grades by several versions.
NEWEST_GRADE_FIRST = (F("grader_version").desc(), F("id").desc())
