import { createRoot } from 'react-dom/client';
import { GuestBook } from './GuestBook.jsx';
import './style.css';

createRoot(document.getElementById('root')).render(<GuestBook />);
