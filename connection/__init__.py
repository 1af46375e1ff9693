"""How anything here reaches Temporal: configuration, the client, the local server, the case clock.

* `profile.resolve` says which server to talk to; `client.connect` connects to it.
* `local_server.LocalServer` starts a server on this machine; `local_state` is how `livebase dev` tells others.
* `search_attributes` names what can be searched; `clock.CaseClock` moves a case's time (local server only).
* Everything that can go wrong is in `errors`, with what to type next.
"""
