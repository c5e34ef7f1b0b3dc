(() => {
  'use strict';
  // The page of a large front door has an overview and a drawing for each namespace.
  const page = document.querySelector('main');
  const about = document.getElementById('about');
  const drawings = all(page, '.front-door');
  const parts = all(page, 'details');
  const nodes = all(page, '.node');
  const links = all(page, '.link').map((line) => ({
    line,
    from: document.getElementById(line.dataset.from),
    to: document.getElementById(line.dataset.to),
  }));
  const by = (end) => {
    const map = new Map(nodes.map((it) => [it, []]));
    links.forEach((it) => map.has(it[end]) && map.get(it[end]).push(it));
    return map;
  };
  const linksFrom = by('from');
  const linksTo = by('to');
  const within = (node) => node.parentElement.closest('.node');

  // Adds a node to `on`, together with all nodes and lines that lead to it or that it leads to.
  const addPath = (node, on) => {
    const walk = (start, step) => {
      const open = [start];
      const seen = new Set(open);
      while (open.length > 0) {
        const at = open.pop();
        on.add(at);
        step(at, (next, line) => {
          if (line) on.add(line);
          if (next && !seen.has(next)) {
            seen.add(next);
            open.push(next);
          }
        });
      }
    };
    walk(node, (at, go) => {
      go(within(at));
      linksTo.get(at).forEach((it) => go(it.from, it.line));
    });
    walk(node, (at, go) => {
      all(at, '.node').forEach((it) => go(it));
      linksFrom.get(at).forEach((it) => go(it.to, it.line));
    });
    return on;
  };

  const pathsThrough = (things) => {
    const on = new Set();
    things.forEach((it) => {
      const same = it.dataset.policy ? all(page, `[data-policy="${it.dataset.policy}"]`) : [it];
      same.forEach((one) => addPath(one.closest('.node'), on));
    });
    return on;
  };

  let pinned = null;
  let pointed = null;
  let found = [];

  const show = () => {
    const thing = pointed || pinned;
    const on = thing ? pathsThrough([thing]) : found.length > 0 ? pathsThrough(found) : null;
    page.classList.toggle('focus', on !== null);
    nodes.forEach((it) => it.classList.toggle('on', on !== null && on.has(it)));
    links.forEach((it) => it.line.classList.toggle('on', on !== null && on.has(it.line)));
    about.hidden = !thing;
    if (!thing) return;
    const own = (what) => thing.querySelector(`:scope > ${what}`);
    about.querySelector('h2').textContent = own('title').textContent;
    const lines = own('desc') ? own('desc').textContent.split('\n') : [];
    about.querySelector('ul').replaceChildren(
      ...lines.map((text) => {
        const item = document.createElement('li');
        item.textContent = text;
        return item;
      }),
    );
  };

  const pin = (thing) => {
    if (pinned) {
      pinned.classList.remove('pinned');
      pinned.setAttribute('aria-pressed', 'false');
    }
    pinned = thing === pinned ? null : thing;
    if (pinned) {
      pinned.classList.add('pinned');
      pinned.setAttribute('aria-pressed', 'true');
    }
    show();
  };

  // The innermost element around `target` that can be selected.
  const thing = (target) => target.closest('.pill, .node');

  page.addEventListener('pointerover', (event) => {
    pointed = thing(event.target);
    show();
  });
  page.addEventListener('pointerleave', () => {
    pointed = null;
    show();
  });
  page.addEventListener('click', (event) => {
    const chosen = thing(event.target);
    if (chosen || pinned) pin(chosen);
  });
  page.addEventListener('focusin', (event) => {
    pointed = thing(event.target);
    show();
  });
  page.addEventListener('focusout', () => {
    pointed = null;
    show();
  });

  const middle = (it) => {
    const box = it.getBoundingClientRect();
    return box.top + box.height / 2;
  };
  const beside = (node, key) => {
    if (key === 'ArrowRight') {
      const [link] = linksFrom.get(node);
      return link ? link.to : node.querySelector('.node');
    }
    if (key === 'ArrowLeft') {
      const [link] = linksTo.get(node);
      return link ? link.from : within(node);
    }
    const role = node.classList[1];
    const same = all(node.closest('.front-door'), `.node.${role}`);
    same.sort((one, other) => middle(one) - middle(other));
    return same[same.indexOf(node) + (key === 'ArrowDown' ? 1 : -1)];
  };

  page.addEventListener('keydown', (event) => {
    const at = thing(event.target);
    if (!at) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      pin(at);
    } else if (event.key.startsWith('Arrow')) {
      const next = beside(at.closest('.node'), event.key);
      if (next) {
        event.preventDefault();
        next.focus();
        next.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      }
    }
  });

  // What is written on a node, and the state of the lines that lead to it.
  const text = (node) => {
    const written = all(node, ':scope > title, :scope > desc, :scope > text, :scope > .pill').map((it) => it.textContent);
    const states = linksTo.get(node).map((it) => it.line.querySelector('.edge').getAttribute('class'));
    return written.concat(states).join('\n').toLowerCase();
  };
  const folds = foldable(parts);
  const search = (wanted) => {
    found = wanted ? nodes.filter((it) => text(it).includes(wanted)) : [];
    const inside = parts.length > 0 ? found.filter((it) => it.closest('details')) : [];
    // The cards of the overview stand for many routes, so they are not what somebody looks for.
    if (inside.length > 0) found = inside;
    const hit = new Set(inside.map((it) => it.closest('details')));
    folds.show(hit);
    show();
    if (hit.size > 0) found[0].scrollIntoView({ block: 'center', inline: 'nearest' });
    return found.length;
  };
  const release = () => {
    pointed = null;
    if (pinned) pin(pinned);
    show();
  };
  const find = searchable(search, release);
  find.addEventListener('keydown', (event) => {
    const first = found.find((it) => it.tabIndex >= 0);
    if (event.key === 'Enter' && first) {
      first.focus();
      first.scrollIntoView({ block: 'center', inline: 'nearest' });
    }
  });
  const sizes = drawings.map((it) => [it, it.width.baseVal.value, it.height.baseVal.value]);
  let scale = 1;
  const zoom = (by) => {
    scale = Math.min(3, Math.max(0.25, scale * by));
    sizes.forEach(([drawing, width, height]) => {
      drawing.setAttribute('width', width * scale);
      drawing.setAttribute('height', height * scale);
    });
  };
  document.getElementById('smaller').addEventListener('click', () => zoom(0.8));
  document.getElementById('larger').addEventListener('click', () => zoom(1.25));
})();
