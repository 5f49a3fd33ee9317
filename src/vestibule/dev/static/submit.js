// Sends the one form of the page; without JavaScript a button stands there instead.
document.getElementById("submit-at-once").submit();
