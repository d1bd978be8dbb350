import './style.css';

const now = document.querySelector<HTMLTimeElement>('#now')!;
const show = () => {
  now.textContent = new Date().toLocaleTimeString();
};

show();
setInterval(show, 1_000);
