"""Charts as the page draws them: SVG by the server, no library and no script needed.

There are three kinds, of frozen dataclasses that `templates/charts/` draws: a title, a sentence
computed from the data, the picture, and the data as a table.

    xy            a plot of two axes: columns that are said and listed, marks of what happened
        lines       values over time with bands, dashed series, levels
        bars        amounts over time, stacked; or side by side, before and now
        scatter     two columns, right and wrong apart; brushed together with a second one
    distribution  up to three distributions of one column over each other
    grid          rows of cells: strips of periods, or a table that is shaded

`axes` knows round values and UTC times, `chart` what a plot is made of. The other modules build
charts from what is known of a model, each by a function `build_…`. `static/js/charts.js` lets
people go through the values by pointer, finger and arrow keys, and brush scatters together.
"""
