// Posts the one form of the page; without JavaScript its button does.
document.querySelector("form[data-submit]").submit();
