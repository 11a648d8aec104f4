import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    // Far beyond what any test takes: a slow machine is no failure.
    testTimeout: 30_000,
    restoreMocks: true,
    unstubEnvs: true,
    coverage: {
      include: ['packages/*/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.test-d.ts'],
      reportsDirectory: 'reports/coverage',
    },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/{src,test}/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
        },
      },
      {
        test: { name: 'integration', include: ['tests/*/src/**/*.test.ts'] },
      },
      {
        // Nothing of these runs: the type checker judges them.
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['{packages,tests}/*/src/**/*.test-d.ts'],
            ignoreSourceErrors: true, // the step `types` tells them, and says where
          },
        },
      },
    ],
  },
});

export default config;
