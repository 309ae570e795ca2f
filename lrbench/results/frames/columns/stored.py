"""The tables of the store, and of summary.csv: results/README.md shows them in these words."""

from lrbench.results.frames.columns.column import (
    CURVATURE,
    EVALUATIONS,
    LOSS,
    NULL,
    PURE,
    ROWS,
    SECONDS,
    STEPS,
    Column,
    several,
)

RUNS = (
    Column(
        "run_id",
        "string",
        PURE,
        (
            "32 hexadecimal digits: the hash of the data's content and of all settings below that "
            "decide the numbers"
        ),
    ),
    Column("setting_id", "string", PURE, "the same without the seed"),
    Column(
        "problem_id",
        "string",
        PURE,
        "the problem, a row of `problems.parquet`: the data's content, the loss and the dtype",
    ),
    Column("status", "string", PURE, "`completed`, `diverged` or `failed`"),
    Column("reason", "string", PURE, "why it diverged or failed, in words; null if completed", NULL),
    *several(
        "problem loss optimizer schedule",
        "string",
        PURE,
        "the configuration choices; `custom` stands for any class, which `optimizer._target_` names",
    ),
    *several(
        "problem.* loss.* optimizer.* schedule.*",
        "see below",
        PURE,
        "every setting under its configuration path, such as `optimizer.lr`",
    ),
    Column("steps", "int64", STEPS, "updates"),
    Column("batch_size", "int64", ROWS, "rows an update; null = all", NULL),
    Column(
        "batch_order",
        "string",
        PURE,
        "`shuffled`, `sequential` or `replacement`; `sequential` where a step takes all rows",
    ),
    Column("init", "string", PURE, "`torch`, `zeros`, or a JSON list [weights..., intercept]"),
    Column("dtype", "string", PURE, "`float64` or `float32`, of the training"),
    Column("seed", "int64", PURE, "fixes the start and the order of the minibatches"),
    Column("engine", "string", PURE, "what trained it: `fused` or `reference`"),
    *several("start_loss start_gap", "double", LOSS, "before the first update"),
    *several("final_loss final_gap", "double", LOSS, "after the last update; inf unless completed"),
    Column(
        "first_bad_step",
        "int64",
        STEPS,
        "first step whose loss or gap is not finite; null if there is none, or if the run failed",
        NULL,
    ),
    Column("last_finite_loss", "double", LOSS, "the last loss that was finite", NULL),
    Column(
        "final_test_loss",
        "double",
        LOSS,
        (
            "loss over the problem's test rows, without a penalty, after the last update; inf unless "
            "completed, null where it has none"
        ),
        NULL,
    ),
    Column(
        "relative_target",
        "double",
        PURE,
        "the relative gap (gap / `scale` of the problem) by whose arrival the run is judged",
    ),
    Column(
        "rise",
        "double",
        PURE,
        (
            "largest gap on the way over where it began, the larger of the start's and the constant "
            "model's; inf where a state is not finite"
        ),
    ),
    Column(
        "level",
        "double",
        LOSS,
        (
            "mean gap over the last tenth of the budget, at least one pass over the rows, counted at every "
            "step; inf of a run that is lost"
        ),
    ),
    Column(
        "score",
        "double",
        PURE,
        (
            "what runs are ordered by: log(`cost_target` / `budget`) of one that arrived, log(`level` / "
            "target) of one that did not, inf of one that is lost; a target is never below the gap floor"
        ),
    ),
    Column(
        "cost_target",
        "double",
        EVALUATIONS,
        (
            "gradient evaluations until the mean gap of a pass is within the target, and from where on it "
            "stays below twice the target; `budget` where it comes to no such rest although the level is "
            "within; null where the level is not"
        ),
        NULL,
    ),
    *several(
        "cost_1e-1 cost_1e-2 cost_1e-3 cost_1e-4 cost_1e-5 cost_1e-6 cost_1e-7 cost_1e-8",
        "double",
        EVALUATIONS,
        "the same for relative gaps of 1e-1, 1e-2, ... 1e-8",
        NULL,
    ),
    *several("half_level half_score", "double", PURE, "the same within half of the budget"),
    *several(
        (
            "half_cost_target half_cost_1e-1 half_cost_1e-2 half_cost_1e-3 half_cost_1e-4 half_cost_1e-5 "
            "half_cost_1e-6 half_cost_1e-7 half_cost_1e-8"
        ),
        "double",
        EVALUATIONS,
        "the same within half of the budget",
        NULL,
    ),
    Column(
        "budget", "double", EVALUATIONS, "what the run may take: the rows that `steps` updates see, over n"
    ),
    Column(
        "steps_taken",
        "int64",
        STEPS,
        "updates within the budget: fewer than `steps` where each takes several gradients",
    ),
    Column(
        "evaluations",
        "double",
        EVALUATIONS,
        (
            "gradient evaluations in total: a minibatch counts its share of the rows, LBFGS counts "
            "every call of its closure"
        ),
    ),
    Column("evaluations_per_step", "double", EVALUATIONS, "the fewest that an update took"),
    Column(
        "last_step_changed_nothing",
        "bool",
        PURE,
        "whether the last update left every bit of the weights as it was",
    ),
    Column("fingerprint", "int64", PURE, "a hash of the whole curve: equal where two runs agree bit for bit"),
    Column(
        "steps_to_target",
        "int64",
        STEPS,
        "first step with the mean gap of its pass within the target, stays it there or not; null if never",
        NULL,
    ),
    Column("evaluations_to_target", "double", EVALUATIONS, "gradient evaluations until then", NULL),
    *several(
        (
            "steps_to_1e-1 steps_to_1e-2 steps_to_1e-3 steps_to_1e-4 steps_to_1e-5 steps_to_1e-6 "
            "steps_to_1e-7 steps_to_1e-8"
        ),
        "int64",
        STEPS,
        "the same for relative gaps of 1e-1, 1e-2, ... 1e-8",
        NULL,
    ),
    *several(
        (
            "evaluations_to_1e-1 evaluations_to_1e-2 evaluations_to_1e-3 evaluations_to_1e-4 "
            "evaluations_to_1e-5 evaluations_to_1e-6 evaluations_to_1e-7 evaluations_to_1e-8"
        ),
        "double",
        EVALUATIONS,
        "gradient evaluations until then",
        NULL,
    ),
    Column(
        "weights",
        "list of double",
        PURE,
        (
            "[weights..., intercept] at the last step, of a diverged run at its last finite one; null "
            "if it failed or the start was not finite"
        ),
        NULL,
    ),
)

CURVES = (
    Column("run_id", "string", PURE, "the run"),
    Column(
        "step",
        "list of int64",
        STEPS,
        (
            "recorded steps; 0 is the start, t the state after t updates; 500 steps make 501 entries "
            "unless `record` asks for fewer"
        ),
    ),
    Column("evaluations", "list of double", EVALUATIONS, "gradient evaluations so far"),
    Column(
        "loss", "list of double", LOSS, "loss over all rows, also when the steps are taken on minibatches"
    ),
    Column("gap", "list of double", LOSS, "loss minus the smallest possible loss"),
)

PROBLEMS = (
    Column("problem_id", "string", PURE, "as in `runs/`"),
    *several("problem loss dtype", "string", PURE, "the choices, and the dtype of the training"),
    *several("n d p", "int64", PURE, "rows, features, parameters"),
    Column("rank", "int64", PURE, "rank of H"),
    *several(
        "test_rows dropped",
        "int64",
        ROWS,
        "rows that are only measured on; rows left out because a value was missing",
    ),
    Column("intercept", "bool", PURE, "whether the model has one"),
    Column("quadratic", "bool", PURE, "whether the loss is: squared errors, with or without a penalty"),
    Column(
        "attained",
        "bool",
        PURE,
        "whether some weights reach the smallest loss; where not, `loss_star` is the infimum",
    ),
    Column(
        "minimisers",
        "string",
        PURE,
        ("`unique`; `affine`: w* + the null space of the data; `set`: a whole region; `none`: not attained"),
    ),
    Column("method", "string", PURE, "how the minimiser was found"),
    *several(
        "L mu",
        "double",
        CURVATURE,
        "largest eigenvalue of H, and its smallest that is not 0; `mu` is null where H is 0",
        NULL,
    ),
    Column("kappa", "double", PURE, "L / mu; null where H is 0", NULL),
    Column(
        "smoothness",
        "double",
        CURVATURE,
        "largest eigenvalue that the Hessian has at any weights; inf where there is no bound",
    ),
    *several("trace effective_rank", "double", PURE, "of H; trace / L, null where H is 0", NULL),
    Column("loss_star", "double", LOSS, "the smallest possible loss"),
    Column("bound", "double", LOSS, "how far `loss_star` can be from the infimum, apart from rounding"),
    Column(
        "digits",
        "double",
        PURE,
        "how many digits of `scale` that leaves certain; null where `scale` is",
        NULL,
    ),
    Column(
        "scale",
        "double",
        LOSS,
        "gap of the constant model, the unit of relative gaps; null where it cannot be told from 0",
        NULL,
    ),
    Column(
        "gap_floor",
        "double",
        LOSS,
        "below it rounding decides, not the optimizer; `docs/losses.md` has the formula",
    ),
    Column(
        "gradient_noise",
        "double",
        PURE,
        "trace of the covariance, over the rows, of the gradient of one row's loss at the minimiser",
    ),
    Column(
        "solve_seconds",
        "double",
        SECONDS,
        (
            "wall seconds that the minimiser took when the sweep was planned, on one thread and without "
            "the spectrum; differs from time to time"
        ),
    ),
    Column(
        "w_star",
        "list of double",
        PURE,
        (
            "the exact minimiser [weights..., intercept]; the shortest where there are many; null where "
            "the infimum is not attained"
        ),
        NULL,
    ),
    Column(
        "w_true", "list of double", PURE, "the weights that made the data, null where nobody knows them", NULL
    ),
    Column("eigenvalues", "list of double", PURE, "of H, p of them, descending, 0 from the rank on"),
    Column(
        "eigenvectors",
        "list of double",
        PURE,
        "of H, `rank` rows of p numbers, flat; null above p = 500",
        NULL,
    ),
    *several(
        "moments.samples moments.curvature moments.fourth moments.third moments.noise",
        "list of double",
        PURE,
        (
            "moments of the rows in the eigenbasis, of squared errors without penalty up to p = 16, "
            "full rank, where batches are drawn with replacement; else null. "
            "`lrbench/problems/moments.py` defines them"
        ),
        NULL,
    ),
    Column("features", "list of string", PURE, "their names"),
    Column("target", "string", PURE, "the name of what is predicted"),
    Column("note", "string", PURE, "source and licence of the data; empty where there is nothing to say"),
    *several(
        "x_mean x_scale",
        "list of double",
        PURE,
        "trained x = (x - x_mean) / x_scale; null where the data are trained as they came",
        NULL,
    ),
    *several("y_mean y_scale", "double", PURE, "the same for the target", NULL),
    Column("settings", "string", PURE, "the `problem.*` settings as JSON"),
)

PATHS = (
    Column("run_id", "string", PURE, "the run"),
    Column("step", "list of int64", STEPS, "K traced steps, 0 the start"),
    Column(
        "weights",
        "list of double",
        PURE,
        "K times [weights..., intercept], flat, state after state; NaN after a run stopped",
    ),
)

ROLES = (
    Column("run_id", "string", PURE, "the run"),
    Column(
        "role",
        "string",
        PURE,
        (
            "`trial`: on the tuning seeds; `evaluation`: the chosen setting on the seeds that are "
            "reported; `default`: beside it, with torch's own values"
        ),
    ),
    Column(
        "optimizer",
        "string",
        PURE,
        "the choice that it is a run of; may differ from that in `runs/` where two are the same run",
    ),
    Column(
        "trial",
        "int64",
        PURE,
        (
            "number of the setting among all that the optimizer tried in its task, from 0; zooms go on "
            "counting. Of an evaluation, the chosen one; null for a default"
        ),
        NULL,
    ),
    *several(
        "lr_low lr_high",
        "double",
        PURE,
        (
            "the range that the learning rate was drawn from: the box, of a grown box the new decade, of a "
            "zoom what lies around the best; null but for trials, and where lr is not tuned"
        ),
        NULL,
    ),
)

BEYOND = (
    Column("run_id", "string", PURE, "the run"),
    Column(
        "beyond",
        "double",
        LOSS,
        (
            "highest mean gap of a pass over the rows that ends after the budget, until twice of it; inf "
            "where a state there is not finite, null where no step ends there"
        ),
        NULL,
    ),
)
