// What the browser says when a passkey could not be made or used, in words, on the page.
const words = {
  NotAllowedError: 'That was cancelled, or took too long. Try again.',
  InvalidStateError: 'This device has a passkey for your account already.',
  SecurityError: 'Passkeys do not work at this address. Open the portal by its own name, over HTTPS.',
};

document.addEventListener('allauth.error', (event) => {
  event.preventDefault();
  const text = words[event.detail.exception?.name] ?? 'This browser could not use a passkey. Try another way to sign in.';
  const place = document.getElementById('content') ?? document.body;
  let alert = document.getElementById('passkey-problem');
  if (!alert) {
    alert = document.createElement('div');
    alert.id = 'passkey-problem';
    alert.className = 'alert alert-error';
    alert.setAttribute('role', 'alert');
    place.prepend(alert);
  }
  alert.textContent = text;
});
