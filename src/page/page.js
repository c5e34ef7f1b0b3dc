// What all pages share.
const all = (within, what) => Array.from(within.querySelectorAll(what));

// Makes the search field work: `search` gets what is wanted, in small letters, and returns how much it found; an empty text
// finds nothing. `release` forgets what is chosen. Returns the field.
const searchable = (search, release) => {
  const find = document.getElementById('find');
  const count = document.getElementById('count');
  const run = () => {
    const wanted = find.value.trim().toLowerCase();
    const found = search(wanted);
    count.value = wanted ? `${found} found` : '';
  };
  find.addEventListener('input', run);
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      find.value = '';
      run();
      release();
    } else if (event.key === '/' && document.activeElement !== find) {
      event.preventDefault();
      find.focus();
    }
  });
  return find;
};

// Parts that can be folded. Those that a person has opened stay open; the others are open while something in them is found.
const foldable = (parts) => {
  const opened = new Set(parts.filter((it) => it.open));
  parts.forEach((it) =>
    it.querySelector('summary').addEventListener('click', () => {
      if (it.open) opened.delete(it);
      else opened.add(it);
    }),
  );
  return {
    show: (hit) => parts.forEach((it) => (it.open = hit.has(it) || opened.has(it))),
    unfold: (isOpen) =>
      parts.forEach((it) => {
        it.open = isOpen;
        if (isOpen) opened.add(it);
        else opened.delete(it);
      }),
  };
};
