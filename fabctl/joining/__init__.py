"""A machine's computer joins the lab: what it is given once, over TLS, and where it is put."""
