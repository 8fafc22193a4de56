// A stand-in for Stripe.js: Stripe(), elements(), the Payment Element and what
// a checkout page calls. It draws its inputs into the page itself, where a
// browser test can type into them; styles are set by script, so that a strict
// content security policy needs no exception for them.
(function () {
  'use strict';

  var base = new URL(document.currentScript.src).origin;

  function encode(prefix, value, into) {
    if (value === undefined || value === null) return into;
    if (typeof value === 'object') {
      Object.keys(value).forEach(function (key) {
        encode(prefix ? prefix + '[' + key + ']' : key, value[key], into);
      });
    } else {
      into.append(prefix, String(value));
    }
    return into;
  }

  function intentOf(clientSecret) {
    return String(clientSecret || '').split('_secret_')[0];
  }

  function failure(message, code) {
    return { error: { type: 'validation_error', code: code, message: message } };
  }

  function style(node, rules) {
    Object.keys(rules).forEach(function (name) { node.style.setProperty(name, rules[name]); });
    return node;
  }

  // One labelled input of the card form.
  function field(box, spec) {
    var label = document.createElement('label');
    label.htmlFor = spec.id;
    label.textContent = spec.label;
    style(label, { display: 'block', 'font-size': '0.9rem', margin: '0 0 0.25rem' });
    var input = document.createElement('input');
    input.id = spec.id;
    input.name = spec.name;
    input.type = 'text';
    input.inputMode = 'numeric';
    input.autocomplete = spec.autocomplete;
    input.placeholder = spec.placeholder;
    input.required = true;
    style(input, {
      display: 'block', width: '100%', 'box-sizing': 'border-box', padding: '0.7rem',
      margin: '0 0 0.9rem', font: 'inherit', color: 'inherit', background: 'transparent',
      border: '1px solid #8a93a6', 'border-radius': '0.4rem'
    });
    box.appendChild(label);
    box.appendChild(input);
    return input;
  }

  function Element(kind) {
    this.kind = kind;
    this.listeners = {};
    this.inputs = null;
    this.box = null;
  }

  Element.prototype.mount = function (target) {
    var host = typeof target === 'string' ? document.querySelector(target) : target;
    if (!host) throw new Error('The selector you specified (' + target + ') applies to no DOM elements.');
    host.textContent = '';
    var box = this.box = document.createElement('div');
    box.className = 'StripeElement';
    box.dataset.stripeEmulator = this.kind;
    host.appendChild(box);
    if (this.kind === 'payment' || this.kind === 'card') {
      this.inputs = {
        number: field(box, { id: 'payment-numberInput', name: 'number', label: 'Card number',
          autocomplete: 'cc-number', placeholder: '1234 1234 1234 1234' }),
        expiry: field(box, { id: 'payment-expiryInput', name: 'expiry', label: 'Expiration date',
          autocomplete: 'cc-exp', placeholder: 'MM / YY' }),
        cvc: field(box, { id: 'payment-cvcInput', name: 'cvc', label: 'Security code',
          autocomplete: 'cc-csc', placeholder: 'CVC' })
      };
      box.addEventListener('input', this.changed.bind(this));
    }
    var self = this;
    setTimeout(function () { self.emit('ready', { elementType: self.kind }); }, 0);
    return this;
  };

  Element.prototype.changed = function () {
    var card = this.card();
    this.emit('change', {
      elementType: this.kind,
      empty: !card.number && !card.expiry && !card.cvc,
      complete: this.problem() === null,
      value: { type: 'card' }
    });
  };

  Element.prototype.card = function () {
    var inputs = this.inputs;
    return {
      number: inputs.number.value.replace(/\s/g, ''),
      expiry: inputs.expiry.value.replace(/\s/g, ''),
      cvc: inputs.cvc.value.trim()
    };
  };

  // What is still wrong with what was typed in, or null.
  Element.prototype.problem = function () {
    if (!this.inputs) return null;
    var card = this.card();
    if (!/^\d{13,19}$/.test(card.number)) return failure('Your card number is incomplete.', 'incomplete_number');
    if (!/^\d{1,2}\/?\d{2,4}$/.test(card.expiry)) {
      return failure("Your card's expiration date is incomplete.", 'incomplete_expiry');
    }
    if (!/^\d{3,4}$/.test(card.cvc)) return failure("Your card's security code is incomplete.", 'incomplete_cvc');
    return null;
  };

  Element.prototype.methodData = function () {
    var card = this.card();
    var parts = /^(\d{1,2})\/?(\d{2}|\d{4})$/.exec(card.expiry) || [];
    return { type: 'card', card: { number: card.number, exp_month: parts[1], exp_year: parts[2], cvc: card.cvc } };
  };

  Element.prototype.on = function (event, listener) {
    (this.listeners[event] = this.listeners[event] || []).push(listener);
    return this;
  };
  Element.prototype.once = Element.prototype.on;
  Element.prototype.off = function (event) { delete this.listeners[event]; return this; };
  Element.prototype.emit = function (event, detail) {
    (this.listeners[event] || []).forEach(function (listener) { listener(detail); });
  };
  Element.prototype.update = function () { return this; };
  Element.prototype.focus = function () { if (this.inputs) this.inputs.number.focus(); };
  Element.prototype.blur = function () { if (document.activeElement) document.activeElement.blur(); };
  Element.prototype.collapse = function () {};
  Element.prototype.clear = function () {
    var inputs = this.inputs || {};
    Object.keys(inputs).forEach(function (name) { inputs[name].value = ''; });
  };
  Element.prototype.unmount = function () {
    if (this.box) this.box.remove();
    this.box = this.inputs = null;
  };
  Element.prototype.destroy = Element.prototype.unmount;

  function Elements(options) {
    this.options = options || {};
    this.made = {};
  }
  Elements.prototype.create = function (kind) { return (this.made[kind] = new Element(kind)); };
  Elements.prototype.getElement = function (kind) { return this.made[kind] || null; };
  Elements.prototype.update = function (options) { Object.assign(this.options, options); };
  Elements.prototype.fetchUpdates = function () { return Promise.resolve({}); };
  Elements.prototype.submit = function () {
    var element = this.made.payment;
    return Promise.resolve((element && element.problem()) || { selectedPaymentMethod: 'card' });
  };

  function StripeClient(key, options) {
    this.key = key;
    this.account = options && options.stripeAccount;
  }

  StripeClient.prototype.request = function (method, path, params) {
    var headers = { Authorization: 'Bearer ' + this.key };
    if (this.account) headers['Stripe-Account'] = this.account;
    var form = encode('', params, new URLSearchParams());
    var request = { method: method, headers: headers };
    var url = base + path;
    if (method === 'GET') url += '?' + form; else request.body = form;
    return fetch(url, request).then(function (response) {
      return response.json();
    }).catch(function () {
      return { error: { type: 'api_connection_error', message: 'An error occurred with our connection to Stripe.' } };
    });
  };

  StripeClient.prototype.elements = function (options) { return new Elements(options); };

  StripeClient.prototype.retrievePaymentIntent = function (clientSecret) {
    return this.request('GET', '/v1/payment_intents/' + intentOf(clientSecret), {
      client_secret: clientSecret
    }).then(function (answer) { return answer.error ? answer : { paymentIntent: answer }; });
  };

  StripeClient.prototype.createPaymentMethod = function (options) {
    var element = options.element || (options.elements && options.elements.getElement('payment'));
    var problem = element && element.problem();
    if (problem) return Promise.resolve(problem);
    var data = element ? element.methodData() : options;
    return this.request('POST', '/v1/payment_methods', data).then(function (answer) {
      return answer.error ? answer : { paymentMethod: answer };
    });
  };

  // Goes to the bank's page, or to the return URL once the payment has ended.
  function leave(intent, returnUrl, redirect) {
    var action = intent.next_action && intent.next_action.redirect_to_url;
    if (intent.status === 'requires_action' && action) {
      window.location.assign(action.url);
      return new Promise(function () {});
    }
    if (redirect === 'if_required' || !returnUrl) return { paymentIntent: intent };
    var url = new URL(returnUrl, window.location.href);
    url.searchParams.set('payment_intent', intent.id);
    url.searchParams.set('payment_intent_client_secret', intent.client_secret);
    url.searchParams.set('redirect_status', intent.status === 'processing' ? 'pending' : 'succeeded');
    window.location.assign(url.href);
    return new Promise(function () {});
  }

  StripeClient.prototype.confirmPayment = function (options) {
    var elements = options.elements;
    var confirm = options.confirmParams || {};
    var secret = options.clientSecret || (elements && elements.options.clientSecret);
    var element = elements && elements.getElement('payment');
    var problem = element && element.problem();
    if (problem) return Promise.resolve(problem);
    var params = Object.assign({}, confirm, { client_secret: secret });
    if (element && !params.payment_method) {
      params.payment_method_data = Object.assign(element.methodData(), confirm.payment_method_data);
    }
    return this.request('POST', '/v1/payment_intents/' + intentOf(secret) + '/confirm', params)
      .then(function (answer) {
        return answer.error ? answer : leave(answer, confirm.return_url, options.redirect);
      });
  };

  StripeClient.prototype.handleNextAction = function (options) {
    return this.retrievePaymentIntent(options.clientSecret).then(function (answer) {
      return answer.error ? answer : leave(answer.paymentIntent, null, 'if_required');
    });
  };

  function Stripe(key, options) {
    if (!/^pk_test_/.test(String(key))) {
      throw new Error('Please call Stripe() with your publishable key. The emulator takes pk_test_ keys only.');
    }
    return new StripeClient(key, options);
  }
  Stripe.version = 'emulator';

  window.Stripe = Stripe;
})();
