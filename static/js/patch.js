/* Makes an element like a fresh one by changing only what differs, so that focus, selection, scrolling and animations stay. */
export function patch(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (!isAlike(old, fresh)) {
    old.replaceWith(document.adoptNode(fresh));
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of [...fresh.attributes]) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const [before, after] = [[...old.childNodes], [...fresh.childNodes]];
  if (before.length === after.length && before.every((node, index) => node.nodeType === after[index].nodeType)) {
    before.forEach((node, index) => patch(node, after[index]));
  } else {
    old.replaceChildren(...after.map((node) => document.adoptNode(node)));
  }
}

function isAlike(old, fresh) {
  return old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && old.id === fresh.id;
}
