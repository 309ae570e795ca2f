"""The sources of what is passed to the program: loops round a formula of numbers.

The number of lanes is a constant in them, so that the rows of one array have known distances: of a rule with
three states the compiler would otherwise have too many pairs of rows to compare, and not vectorise it.
"""


def slopes_source(name: str, lanes: int) -> str:
    """Write what turns predictions u (rows, lanes) into factor times the loss's slopes."""
    return f"""
def {name}(u, y, factor, k):
    n = uintp({lanes})
    for i in range(y.size):
        row = uintp(i) * n
        for l in range(n):
            u[row + l] = factor * slope(u[row + l], y[i], k)
"""


def excess_source(name: str, lanes: int) -> str:
    """Write what adds c times the loss's excess to the gap.

    It turns the moves of predictions u (rows, lanes) into slopes. The rows are those from `first` to before
    `last` of all samples.
    """
    return f"""
def {name}(u, samples, first, last, gap):
    n = uintp({lanes})
    c, k = samples.c, samples.k
    for i in range(first, last):
        row = uintp(i - first) * n
        y, star = float64(samples.y[i]), samples.star[i]
        centre, tangent = samples.centre[i], samples.tangent[i]
        for l in range(n):
            move = float64(u[row + l])
            z = centre + move
            gap[l] += c * float64(excess(move, z, y, star, tangent, k))
            u[row + l] = c * float64(slope(z, y, k))
"""


def update_source(name: str, lanes: int, states: int, numbers: int, coefficients: int) -> str:
    """Write what hands a rule its tuples of numbers, each number from a row of lanes.

    It has `states` of an element, `numbers` of a run and `coefficients` of a step.
    """
    rows = [f"row{k} = uintp({k}) * n" for k in range(max(numbers, coefficients))]
    state_rows = [f"at{k} = (uintp(j) * uintp({states}) + uintp({k})) * n" for k in range(states)]
    kept = [f"state[at{k} + l] = new[{k}]" for k in range(states)]
    return f"""
def {name}(g, w, ahead, state, run, step):
    n = uintp({lanes})
    {"; ".join(rows)}
    for j in range(w.size // {lanes}):
        start = uintp(j) * n
        {"; ".join(state_rows)}
        for l in range(n):
            ahead[start + l], new = rule(
                g[start + l],
                w[start + l],
                {_numbers("state", "at", states)},
                {_numbers("run", "row", numbers)},
                {_numbers("step", "row", coefficients)},
            )
            {"; ".join(kept)}
"""


def _numbers(array: str, row: str, count: int) -> str:
    """Write the tuple of a lane's numbers."""
    numbers = [f"{array}[{row}{k} + l], " for k in range(count)]
    return f"({''.join(numbers)})"
