"""
A local server that speaks the wire formats of the providers, for trying things out offline.

It states the facts of every provider anew and reads no adapter, so that it cannot mirror an
adapter's mistake. `server.running(Sandbox())` starts one in a thread, `manage.py sandbox` one for
people; an upstream `https://HOST/path` is reached at `http://127.0.0.1:PORT/HOST/path`.
"""
