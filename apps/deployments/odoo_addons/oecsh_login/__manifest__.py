{
    "name": "OEC.SH sign-in",
    "summary": "Opens a session for the one-use links of the hosting platform",
    "version": "1.0",
    "author": "OEC.SH",
    "license": "LGPL-3",
    "category": "Hidden",
    "depends": ["web"],
    "installable": False,
}
