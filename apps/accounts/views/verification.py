"""Confirming an e-mail address that was not confirmed in time."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from apps.accounts import verification


class AddressForm(forms.Form):
    """Where the link goes."""

    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "email"}))


@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Sends the link again, signed in or not; says the same whether there is somebody with that address or not."""
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        verification.send_again(request, form.cleaned_data["email"])
        list(messages.get_messages(request))  # allauth's own words would tell who has an account
        return redirect("account_email_verification_sent")
    return render(request, "account/verify.html", {"form": form}, status=422 if form.errors else 200)
