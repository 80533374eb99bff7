"""The Flask app: pages for people, REST for programs, over one service."""

from __future__ import annotations

from flask import Flask

from unrot.core.places import find_part
from unrot.core.settings import Settings, load
from unrot.core.time import HOUR
from unrot.learn.jobs import Busy
from unrot.run.bootstrap import open_service, secret_key
from unrot.web import compression, cors, errors, security
from unrot.web.api import (
    accuracy,
    ask,
    audit_log,
    descriptions,
    drift,
    explorer,
    feedback,
    findings,
    forgetting,
    learning,
    models,
    operations,
    outliers,
    predictions,
    reports,
    trials,
    versions,
    what_if,
)
from unrot.web.fast_lane import FastLane
from unrot.web.metrics import counting, scrape
from unrot.web.openapi import apidocs
from unrot.web.pages import (
    access,
    adding,
    audits,
    compare,
    elsewhere,
    files,
    glossary,
    home,
    jobs,
    monitor,
    news,
    policy,
    prediction,
    predictions_file,
    profiles,
    report,
    rules,
    status,
    time_range,
)
from unrot.web.pages import (
    ask as ask_page,
)
from unrot.web.pages import (
    explorer as explorer_pages,
)
from unrot.web.pages import (
    findings as findings_pages,
)
from unrot.web.pages import (
    models as pages,
)
from unrot.web.pages import (
    operations as operations_pages,
)
from unrot.web.pages import (
    outliers as outliers_pages,
)
from unrot.web.pages import (
    predictions as predictions_pages,
)
from unrot.web.pages import (
    settings as settings_pages,
)
from unrot.web.pages import (
    versions as versions_pages,
)
from unrot.web.pages import (
    what_if as what_if_page,
)
from unrot.web.protocols import protocol
from unrot.web.protocols.cloud_events import EVENTS
from unrot.web.protocols.instances import GOOGLE, KSERVE, PREDICT_ROUTE
from unrot.web.protocols.mlflow import MLFLOW, PING
from unrot.web.protocols.oip import OIP
from unrot.web.protocols.rerouted import ReroutedApp
from unrot.web.protocols.sagemaker import SAGEMAKER
from unrot.web.protocols.seldon import SELDON
from unrot.web.proxies import behind_proxies
from unrot.web.request_ids import IdentifiedApp
from unrot.web.routes import GuardedFlask, blueprint_of

PATIENCE_SECONDS = 1.2
"""So long people wait for a store that is slow; a verdict is then kept in the journal."""

API = (
    *(models, descriptions, predictions, feedback, learning, versions, trials),
    *(explorer, findings, drift, outliers, accuracy, reports, operations),
    *(audit_log, forgetting, what_if, ask),
)
"""Each declares some routes; the document lists them in this order."""
PROTOCOLS = (OIP, KSERVE, GOOGLE, MLFLOW, SAGEMAKER, SELDON, EVENTS)
"""Those of other people's clients."""
PAGES = (
    *(home, pages, prediction, adding, settings_pages, versions_pages, jobs, policy),
    *(audits, ask_page, compare, what_if_page),
    *(news, monitor, findings_pages, rules, explorer_pages, profiles, outliers_pages),
    *(predictions_pages, predictions_file, time_range),
    *(report, operations_pages, access, status, glossary, elsewhere),
)
"""Each adds its views to the one blueprint of the pages."""


def create_app(settings: Settings | None = None) -> Flask:
    """Make the app; settings come from the environment when none are given."""
    settings = settings or load()
    app = make_doors()
    open_home(app, settings)
    routes = {settings.health_route: PING, settings.predict_route: PREDICT_ROUTE}
    if any(routes):
        app.wsgi_app = ReroutedApp(app.wsgi_app, routes)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        app.wsgi_app = behind_proxies(app.wsgi_app, settings)  # type: ignore[method-assign]
    return app


def open_home(app: Flask, settings: Settings) -> None:
    """Put the service of a home folder behind the doors, and who may pass them before."""
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.config["TRUSTED_HOSTS"] = list(settings.hosts) or None
    app.config[security.HTTPS_ALONE] = settings.https
    app.secret_key = key = secret_key(settings)
    app.extensions["doorkeeper"] = security.Doorkeeper(settings, key)
    app.extensions["unrot"] = open_service(
        settings, counting.WorkerCounts(), patience=PATIENCE_SECONDS
    )
    app.extensions["news"] = news.Looks()
    app.extensions["fast_lane"] = FastLane(app, settings)


def make_doors() -> Flask:
    """Make pages and routes, with nothing behind them yet."""
    app = GuardedFlask(
        __name__, template_folder=find_part("templates"), static_folder=find_part("static")
    )
    app.config.update(
        SESSION_COOKIE_NAME="unrot",
        SESSION_COOKIE_SAMESITE="Lax",
        SEND_FILE_MAX_AGE_DEFAULT=HOUR,
    )
    app.jinja_options = {**app.jinja_options, "trim_blocks": True, "lstrip_blocks": True}
    app.url_map.strict_slashes = False
    errors.register(app)
    security.register(app)
    cors.register(app)
    compression.register(app)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(files.blueprint)
    app.register_blueprint(elsewhere.blueprint)
    app.register_blueprint(scrape.blueprint)
    api = blueprint_of(*API)
    api.register_error_handler(Busy, learning.busy)
    app.register_blueprint(api)
    protocol.register(app, PROTOCOLS)
    apidocs.register(app, *API)
    counted = counting.CountedApp(app.wsgi_app)
    app.wsgi_app = IdentifiedApp(counted)  # type: ignore[method-assign]
    return app
