"""The tables as they are printed: which stand where, and which are left out."""

from conftest import LECTURE, run

from lrbench.results.words.tables import SPECS, tables

FAILURES = SPECS["failures"]


def test_what_went_wrong_names_its_task_only_where_there_are_several(write):
    other = {"problem_id": "synthetic64", "problem": "synthetic"}
    one = write(run(status="diverged", lr=1.0), run())
    assert list(tables(one, FAILURES)[0].rows)[0] == "optimizer"
    several = write(
        run(status="diverged", lr=1.0), run(**other), problems=(LECTURE, LECTURE | other), folder="several"
    )
    assert tables(several, FAILURES)[0].rows[["task", "optimizer", "runs"]].to_numpy().tolist() == [
        ["lecture", "SGD", "1"]
    ]


def test_what_went_wrong_is_a_row_an_optimizer_with_its_rates_and_its_theory(write):
    """With L = 30 gradient descent diverges from 2/30 on; of two momenta no single rate is known."""
    reasons = {0.1: "not finite at step 4", 1.0: "not finite at step 2", 10.0: "above the start"}
    rows = [
        run(lr=lr, momentum=0.0, status="diverged", reason=reason, first_bad_step=3)
        for lr, reason in reasons.items()
    ]
    rows += [run(lr=0.01, momentum=0.0)]
    quadratic = (LECTURE | {"quadratic": True, "eigenvectors": [1.0, 0.0, 0.0, 1.0]},)
    (table,) = tables(write(*rows, problems=quadratic), FAILURES)
    assert table.rows[["reason", "runs", "settings", "diverges from lr"]].to_numpy().tolist() == [
        ["not finite; above the start", "3", "lr 0.1 to 10, 3 rates", "0.0667"]
    ]
    momenta = write(*rows, run(lr=0.01, momentum=0.9), problems=quadratic, folder="momenta")
    (table,) = tables(momenta, FAILURES)
    assert "diverges from lr" not in table.rows
