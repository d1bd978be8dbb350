import { render } from 'preact';
import { App } from './app/App.tsx';
import { redeemStartCode } from './session/startCode.ts';

const code = await redeemStartCode();
render(<App codeRefused={code === 'refused'} />, document.getElementById('root')!);
