export function render() { document.body.textContent = 'Ablations'; }
