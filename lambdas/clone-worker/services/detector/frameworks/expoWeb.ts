import type { FrameworkRules } from '../framework.ts';

export const expoWeb: FrameworkRules = {
  slug: 'expo-web',
  rows: [
    {
      name: 'Expo for web',
      dependencies: ['expo', 'react-native-web'],
      buildCommand: 'expo export -p web',
      outputDirectory: 'dist',
    },
  ],
  outputOptions: ['--output-dir'],
};
