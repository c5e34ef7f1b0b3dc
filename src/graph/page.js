(() => {
  'use strict';
  const svg = document.querySelector('.front-door');
  const about = document.getElementById('about');
  const find = document.getElementById('find');
  const count = document.getElementById('count');
  const all = (within, what) => Array.from(within.querySelectorAll(what));
  const nodes = all(svg, '.node');
  const links = all(svg, '.link').map((line) => ({
    line,
    from: document.getElementById(line.dataset.from),
    to: document.getElementById(line.dataset.to),
  }));
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
      links.filter((it) => it.to === at).forEach((it) => go(it.from, it.line));
    });
    walk(node, (at, go) => {
      all(at, '.node').forEach((it) => go(it));
      links.filter((it) => it.from === at).forEach((it) => go(it.to, it.line));
    });
    return on;
  };

  const pathsThrough = (things) => {
    const on = new Set();
    things.forEach((it) => {
      const same = it.dataset.policy ? all(svg, `[data-policy="${it.dataset.policy}"]`) : [it];
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
    svg.classList.toggle('focus', on !== null);
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

  svg.addEventListener('pointerover', (event) => {
    pointed = thing(event.target);
    show();
  });
  svg.addEventListener('pointerleave', () => {
    pointed = null;
    show();
  });
  svg.addEventListener('click', (event) => {
    const chosen = thing(event.target);
    if (chosen || pinned) pin(chosen);
  });
  svg.addEventListener('focusin', (event) => {
    pointed = thing(event.target);
    show();
  });
  svg.addEventListener('focusout', () => {
    pointed = null;
    show();
  });

  const middle = (it) => {
    const box = it.getBoundingClientRect();
    return box.top + box.height / 2;
  };
  const beside = (node, key) => {
    if (key === 'ArrowRight') {
      const link = links.find((it) => it.from === node);
      return link ? link.to : node.querySelector('.node');
    }
    if (key === 'ArrowLeft') {
      const link = links.find((it) => it.to === node);
      return link ? link.from : within(node);
    }
    const role = node.classList[1];
    const same = nodes.filter((it) => it.classList.contains(role));
    same.sort((one, other) => middle(one) - middle(other));
    return same[same.indexOf(node) + (key === 'ArrowDown' ? 1 : -1)];
  };

  svg.addEventListener('keydown', (event) => {
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

  const text = (node) =>
    all(node, ':scope > title, :scope > desc, :scope > text, :scope > .pill')
      .map((it) => it.textContent)
      .join('\n')
      .toLowerCase();
  const search = () => {
    const wanted = find.value.trim().toLowerCase();
    found = wanted ? nodes.filter((it) => text(it).includes(wanted)) : [];
    count.value = wanted ? `${found.length} found` : '';
    show();
  };
  find.addEventListener('input', search);
  find.addEventListener('keydown', (event) => {
    const first = found.find((it) => it.tabIndex >= 0);
    if (event.key === 'Enter' && first) {
      first.focus();
      first.scrollIntoView({ block: 'center', inline: 'nearest' });
    }
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      find.value = '';
      found = [];
      count.value = '';
      pointed = null;
      if (pinned) pin(pinned);
      show();
    } else if (event.key === '/' && document.activeElement !== find) {
      event.preventDefault();
      find.focus();
    }
  });
})();
