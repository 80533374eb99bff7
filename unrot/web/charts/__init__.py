"""Charts as the page draws them: SVG by the server, no library and no script needed.

    scales          round values and UTC times on an axis, places in percent
    lines           values over time with bands, dashed series, marks of what happened
    bars            amounts over time, stacked
    groups          bars side by side: before and now
    distributions   up to three distributions of one column over each other
    heat            how far each column had moved in each period
    matrix          what was answered beside what was true
    scatter         two columns, right and wrong apart; brushed together with a second one

Each returns frozen dataclasses (`drawing.py`) that `templates/charts/` draws: a title, a sentence
computed from the data, the picture, and the data as a table. `static/js/charts.js` lets people go
through the values by pointer, finger and arrow keys, and brush scatters together.
"""

from unrot.web.charts.bars import Bucket, bars
from unrot.web.charts.distributions import Part, distributions
from unrot.web.charts.drawing import Chart
from unrot.web.charts.groups import Group, groups
from unrot.web.charts.heat import Heat, Moved, heat
from unrot.web.charts.lines import Happening, Level, Reading, Series, lines
from unrot.web.charts.matrix import Matrix, matrix
from unrot.web.charts.scales import brief, moment, share, stretch
from unrot.web.charts.scatter import Axis, Point, axis, scatter

__all__ = [
    "Axis",
    "Bucket",
    "Chart",
    "Group",
    "Happening",
    "Heat",
    "Level",
    "Matrix",
    "Moved",
    "Part",
    "Point",
    "Reading",
    "Series",
    "axis",
    "bars",
    "brief",
    "distributions",
    "groups",
    "heat",
    "lines",
    "matrix",
    "moment",
    "scatter",
    "share",
    "stretch",
]
