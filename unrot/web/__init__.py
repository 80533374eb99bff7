"""The Flask app: pages for people, REST for programs, over one service."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from unrot.bootstrap import open_service, secret_key
from unrot.settings import Settings, load
from unrot.web import (
    api,
    apidocs,
    audit_pages,
    compare_pages,
    counting,
    errors,
    files,
    job_pages,
    learning_api,
    operations_api,
    operations_pages,
    pages,
    policy_pages,
    scrape,
    security,
    trials_api,
    version_pages,
)
from unrot.web.watch import (
    accuracy_api,
    drift_api,
    explorer_api,
    explorer_pages,
    findings_api,
    findings_pages,
    monitor_pages,
    outliers_api,
    outliers_pages,
    profile_pages,
    rules_pages,
)

_ROOT = "../.."
PAGES = (
    *(pages, version_pages, job_pages, policy_pages, audit_pages, compare_pages),
    *(monitor_pages, findings_pages, rules_pages, explorer_pages, profile_pages, outliers_pages),
    operations_pages,
)
"""Each adds its views to the one blueprint of the pages."""


def create_app(settings: Settings | None = None) -> Flask:
    """Make the app; settings come from the environment when none are given."""
    settings = settings or load()
    app = Flask(__name__, template_folder=f"{_ROOT}/templates", static_folder=f"{_ROOT}/static")
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_body,
        SESSION_COOKIE_NAME="unrot",
        SESSION_COOKIE_SAMESITE="Lax",
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.jinja_options = {**app.jinja_options, "trim_blocks": True, "lstrip_blocks": True}
    app.url_map.strict_slashes = False
    app.secret_key = secret_key(settings)
    app.extensions["unrot"] = open_service(settings, counting.WorkerCounts())
    errors.register(app)
    security.register(app, settings)
    app.register_blueprint(api.blueprint)
    app.register_blueprint(learning_api.blueprint)
    app.register_blueprint(trials_api.blueprint)
    app.register_blueprint(explorer_api.blueprint)
    app.register_blueprint(findings_api.blueprint)
    app.register_blueprint(drift_api.blueprint)
    app.register_blueprint(outliers_api.blueprint)
    app.register_blueprint(accuracy_api.blueprint)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(files.blueprint)
    app.register_blueprint(scrape.blueprint)
    app.register_blueprint(operations_api.blueprint)
    apidocs.register(app)
    app.wsgi_app = counting.CountedApp(app.wsgi_app)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    return app
