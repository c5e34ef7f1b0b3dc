// Checks of a page. Each returns a list of what is wrong.
var drawing = document.querySelector('.front-door');
var list = (what, of) => Array.from((of || drawing).querySelectorAll(what));
var box = (it) => it.getBoundingClientRect();

var roles = () => {
  const counts = {};
  list('.node').forEach((it) => (counts[it.classList[1]] = (counts[it.classList[1]] || 0) + 1));
  return counts;
};

// The shape behind a text.
var shape = (text) => {
  const of = text.closest('.pill, .node');
  return of ? of.querySelector(':scope > rect') : drawing.querySelector('.ground');
};

// Texts that extend beyond the shape behind them.
var spilled = () =>
  list('text')
    .filter((text) => {
      const own = box(text);
      const around = box(shape(text));
      return own.left < around.left + 1 || own.right > around.right - 1 || own.top < around.top - 0.5 || own.bottom > around.bottom + 0.5;
    })
    .map((text) => text.textContent);

var over = (one, other) =>
  Math.min(one.right, other.right) - Math.max(one.left, other.left) > 0.5 &&
  Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 0.5;

// Overlapping texts. Letters have empty space above and below them, so only what is drawn counts.
var letters = (text) => {
  const all = box(text);
  const size = parseFloat(getComputedStyle(text).fontSize);
  const middle = (all.top + all.bottom) / 2;
  return { left: all.left, right: all.right, top: middle - size / 2, bottom: middle + size / 2 };
};
var pairs = (things, boxes) => {
  const found = [];
  things.forEach((one, at) => {
    for (let next = at + 1; next < things.length; next += 1) {
      if (over(boxes[at], boxes[next])) found.push([one.textContent, things[next].textContent]);
    }
  });
  return found;
};
var overlapping = () => {
  const texts = list('text');
  const cards = list('.card').map((it) => it.parentElement);
  return pairs(texts, texts.map(letters)).concat(pairs(cards, cards.map((it) => box(it.querySelector('.card')))));
};

// Lines that cross cards which they are not connected to.
var crossed = () => {
  const cards = list('.card');
  const found = [];
  list('.link .edge').forEach((line) => {
    const length = line.getTotalLength();
    const matrix = line.getScreenCTM();
    for (let at = 6; at < length - 6; at += 3) {
      const point = line.getPointAtLength(at).matrixTransform(matrix);
      const hit = cards.find((card) => {
        const around = box(card);
        return point.x > around.left + 1 && point.x < around.right - 1 && point.y > around.top + 1 && point.y < around.bottom - 1;
      });
      if (hit) {
        const { from, to } = line.parentElement.dataset;
        found.push(`${from} to ${to} over ${hit.parentElement.id}`);
        return;
      }
    }
  });
  return found;
};

// Texts whose contrast is less than 4.5 to 1 (WCAG 2.2, 1.4.3).
var light = (colour) => {
  const parts = colour.match(/[\d.]+/g).slice(0, 3).map((it) => it / 255);
  const [r, g, b] = parts.map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
var faint = () =>
  list('text')
    .map((text) => {
      const pair = [text, shape(text)].map((it) => light(getComputedStyle(it).fill)).sort((a, b) => b - a);
      return [text.textContent, (pair[0] + 0.05) / (pair[1] + 0.05)];
    })
    .filter(([, contrast]) => contrast < 4.5);

// Elements that are highlighted, from left to right.
var lit = () => {
  const on = list('.node.on');
  on.sort((one, other) => box(one).left - box(other).left || box(other).height - box(one).height);
  return on.map((it) => it.querySelector('title').textContent);
};

// Elements of a page of text that are wider than the window. Code scrolls in its own box.
var wide = () =>
  list('body *', document)
    .filter((it) => !it.closest('pre') && box(it).right > document.documentElement.clientWidth + 1)
    .map((it) => it.outerHTML);

// Words of a page of text whose contrast is less than 4.5 to 1 (WCAG 2.2, 1.4.3).
var behind = (it) => {
  const ground = getComputedStyle(it).backgroundColor;
  return ground === 'rgba(0, 0, 0, 0)' ? behind(it.parentElement) : ground;
};
var pale = () =>
  list('.text *', document)
    .filter((it) => it.checkVisibility() && Array.from(it.childNodes).some((child) => child.nodeType === 3 && child.data.trim()))
    .map((it) => {
      const pair = [getComputedStyle(it).color, behind(it)].map(light).sort((a, b) => b - a);
      return [it.textContent, (pair[0] + 0.05) / (pair[1] + 0.05)];
    })
    .filter(([, contrast]) => contrast < 4.5);

// What is seen of the elements that a selector chooses.
var seen = (what) => list(what, document).filter((it) => it.checkVisibility()).map((it) => it.innerText);
