"""Static files with the hash of their content in the name, compressed."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Whitenoise's, which also rewrites the imports between our JavaScript modules."""

    support_js_module_import_aggregation = True
