(() => {
  'use strict';
  const items = all(document, '.item');
  const groups = all(document, '.group');
  const parts = items.filter((it) => it.localName === 'details');
  const folds = foldable(parts);
  const text = new Map(items.map((it) => [it, `${it.textContent} ${it.dataset.also || ''}`.toLowerCase()]));
  const search = (wanted) => {
    const found = items.filter((it) => text.get(it).includes(wanted));
    const shown = new Set(found);
    items.forEach((it) => (it.hidden = !shown.has(it)));
    groups.forEach((group) => (group.hidden = all(group, '.item').every((it) => it.hidden)));
    folds.show(new Set(wanted ? parts.filter((it) => shown.has(it)) : []));
    return found.length;
  };
  searchable(search, () => {});
  const fold = document.getElementById('fold');
  if (!fold) return;
  const isAllOpen = () => parts.every((it) => it.open);
  const name = () => (fold.textContent = isAllOpen() ? 'Fold all' : 'Unfold all');
  parts.forEach((it) => it.addEventListener('toggle', name));
  fold.hidden = parts.length === 0;
  fold.addEventListener('click', () => folds.unfold(!isAllOpen()));
  name();
})();
