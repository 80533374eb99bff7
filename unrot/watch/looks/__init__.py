"""The lookout: what monitors see of the store becomes findings.

    windows, profiles, verdicts, oddities → look(…) → symptoms → findings → deliveries

It is gone round by one caretaker of all machines (`leader.py`), a little at a time. Each module
here looks at one thing, with the rules and the arithmetic of `monitors/`, and yields symptoms.
"""
