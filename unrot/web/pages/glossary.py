"""The words that these pages speak in, each in a sentence: one list, one page."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template

from unrot.web.pages.models import blueprint
from unrot.web.routes import ANYONE


@dataclass(frozen=True, slots=True)
class Word:
    """A word and what it means here."""

    name: str
    means: str
    also: str = ""
    """What the API and the command line call it, where that is another word."""

    @property
    def place(self) -> str:
        """Where it stands on its page."""
        return self.name.replace(" ", "-")


WORDS = (
    Word(
        "Model",
        "A task with a name, such as telling irises apart: what goes in, what comes out.",
    ),
    Word("Version", "One fit of a model. It never changes; a better one is a version more."),
    Word("Champion", "The version that answers."),
    Word("Challenger", "A version that answers beside the champion, unseen, to be compared."),
    Word("Prediction", "The answer to one row of values. It has an id, by which it can be judged."),
    Word(
        "Verdict",
        "What a person says of one prediction: right, wrong, or what is true.",
        "feedback",
    ),
    Word(
        "Judge",
        "A person whose verdicts are trusted: the operator, or whoever holds a judge's token.",
    ),
    Word(
        "Visitor",
        "Anybody else. Their verdicts count, and no model is changed on their word alone.",
    ),
    Word(
        "Test set",
        "Rows that were kept back when a model was made. No version learns from them.",
        "anchor",
    ),
    Word("Gate", "The comparison that a new version has to pass before it may become champion."),
    Word("Finding", "Something that is wrong or has changed, with what shows it and what to do."),
    Word(
        "Snoozed",
        "An open finding that is left out of what is to be done until a moment; it is counted "
        "there, and wakes at once where it gets graver.",
    ),
    Word("Drift", "What a model is asked is no longer what it was made with, or was asked before."),
    Word(
        "Rot",
        "A model is right less often than when it was made, and chance does not explain it.",
    ),
    Word(
        "Constant guess",
        "Always the commonest answer, or always the same number: the least that a model must beat.",
    ),
    Word("Point", "A hundredth of a whole: from 85 % to 35 % are 50 points."),
    Word("Outlier", "A row that looks like nothing that the model was trained on."),
    Word("Estimated accuracy", "How often a model would be right if it is as right as it is sure."),
    Word(
        "95 % interval",
        "A range in which the true figure lies in 19 of 20 cases: few verdicts, a wide one.",
    ),
    Word(
        "Learn",
        "To make a version out of the champion and the verdicts that it does not know yet.",
    ),
    Word("Refit", "To fit a version afresh, on the training rows and the verdicts."),
    Word("Roll back", "To let the champion before answer again. Nothing is lost by it."),
    Word("Audit", "A small random sample of predictions that a judge goes through."),
    Word(
        "Background worker",
        "Stores what was answered, looks for findings and makes versions.",
        "caretaker",
    ),
    Word("Loaded models", "The versions that this machine has ready to answer.", "shelf"),
    Word(
        "Healthy",
        "30 verdicts or more say that the champion is as right as when it was made, and nothing "
        "is found.",
    ),
    Word(
        "Needs a look",
        "Something may be wrong: a finding that is not grave, rot from before the champion "
        "took over, or verdicts that may be chance.",
    ),
    Word("In trouble", "A grave finding is open and not snoozed, or no version answers."),
    Word(
        "Not known yet",
        "Too few have asked or judged the model to say more; or one visitor alone has.",
    ),
)


@blueprint.page("GET", "/glossary", needs=ANYONE)
def glossary() -> str:
    """Say what the words of these pages mean."""
    return render_template("glossary.html", words=sorted(WORDS, key=lambda one: one.name.lower()))
