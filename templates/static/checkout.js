// Shows Stripe's Payment Element and hands the payment in. Everything it needs
// to know stands in the form's data attributes; without it the page still says
// where the booking stands.
(function () {
  'use strict';

  var form = document.getElementById('pay');
  var button = document.getElementById('pay-button');
  var problem = document.getElementById('pay-error');
  if (!form || !button || !problem) return;
  var say = form.dataset;

  function fail(message) {
    problem.textContent = message;
    problem.hidden = false;
  }

  // When the hold is over the page has something else to say.
  var left = Number(say.left);
  if (left > 0 && left < 86400000) {
    setTimeout(function () { window.location.assign(say.return); }, left + 1000);
  }

  if (typeof window.Stripe !== 'function') {
    fail(say.notLoaded);
    return;
  }

  var style = getComputedStyle(document.documentElement);
  var dark = window.matchMedia('(prefers-color-scheme: dark)').matches;
  var stripe = window.Stripe(say.key, { stripeAccount: say.account, locale: say.locale });
  var elements = stripe.elements({
    clientSecret: say.secret,
    appearance: {
      theme: dark ? 'night' : 'stripe',
      variables: {
        colorPrimary: style.getPropertyValue('--accent').trim(),
        colorBackground: style.getPropertyValue('--surface').trim(),
        borderRadius: '8px'
      }
    }
  });
  var element = elements.create('payment', { layout: 'tabs' });
  element.on('ready', function () { button.disabled = false; });
  element.on('loaderror', function () { fail(say.notLoaded); });
  element.mount('#payment-element');

  var word = button.textContent;

  function busy(now) {
    button.disabled = now;
    button.textContent = now ? say.paying : word;
    form.setAttribute('aria-busy', String(now));
  }

  form.addEventListener('submit', function (event) {
    event.preventDefault();
    if (button.disabled) return;
    problem.hidden = true;
    busy(true);
    stripe.confirmPayment({
      elements: elements,
      confirmParams: { return_url: say.return }
    }).then(function (answer) {
      // Paid ones never come here: the browser has gone on to the return address.
      busy(false);
      if (answer.error) fail(answer.error.message || say.notLoaded);
    }, function () {
      busy(false);
      fail(say.notLoaded);
    });
  });
})();
