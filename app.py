"""The WSGI app: `gunicorn app:app`, or `flask --app app run --debug` for development."""

from unrot.app import create_app
from unrot.web.development import start_caretaker

app = create_app()
start_caretaker()
