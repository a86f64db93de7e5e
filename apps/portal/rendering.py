"""Forms look the same wherever `{{ form }}` stands (the setting FORM_RENDERER)."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    """Django's own, with our templates for a form and for a field."""

    form_template_name = "components/form_fields.html"
    field_template_name = "components/field.html"
