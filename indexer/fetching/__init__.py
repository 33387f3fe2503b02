"""Fetching datasets from where their publishers keep them: the only network access for data.

`sources.py` says where each dataset comes from; `fetch.py` opens a `Fetch` of one; `hub.py`,
`nbia.py` and `kaggle.py` speak the three services; `mura.py` checks an archive got by hand.
"""
