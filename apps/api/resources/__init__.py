"""One module per resource: its serializers, its views, its addresses."""
