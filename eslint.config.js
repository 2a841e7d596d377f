import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import ts from 'typescript-eslint';

/** The pure rooms take time, chance and ids as inputs. */
const pure = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time is an input here.' },
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: 'Time is an input here.',
  },
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
    message: 'Chance is an input here.',
  },
  { selector: "CallExpression[callee.name='randomUUID']", message: 'Ids are inputs here.' },
];

export default defineConfig(
  { ignores: ['coverage', '.data', 'node_modules'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [ts.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { requireDefaultForNonUnion: true, considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 12],
      'no-restricted-globals': ['error', { name: 'process', message: 'Read the environment in an entry point only.' }],
    },
  },
  {
    // Entry points own the process; embedded parts are processes of their own.
    files: ['src/main.ts', 'src/cli/**', 'infra/embedded/**', 'test/**'],
    rules: { 'no-restricted-globals': 'off' },
  },
  {
    files: ['test/**'],
    rules: {
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
    },
  },
  {
    files: ['src/kernel/**', 'src/events/**', 'commands/**/*.decider.ts', 'commands/**/*.state.ts', 'projections/**'],
    rules: { 'no-restricted-syntax': ['error', ...pure] },
  },
  {
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    languageOptions: { globals: { module: 'writable', process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
);
