import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cloud, directoryCloud } from '../fakecloud/cloud.ts';

export interface StoryPlaces {
  readonly folder: string;
  readonly cloudDirectory: string;
  readonly stateDirectory: string;
  readonly cloud: Cloud;
}

export async function makeStoryPlaces(folder: string): Promise<StoryPlaces> {
  await chmod(folder, 0o755);
  const places = { cloudDirectory: join(folder, 'cloud'), stateDirectory: join(folder, 'state') };
  for (const place of Object.values(places)) {
    await mkdir(place);
    await chmod(place, 0o777);
  }
  return { folder, ...places, cloud: directoryCloud(places.cloudDirectory) };
}

/** The root module of story `n`: one object of its own, with its state outside the checkout. */
export function storyModule({ cloudDirectory, stateDirectory }: StoryPlaces, n: number, content: string): string {
  return `terraform {
  required_providers {
    fakecloud = { source = "holdfast/fakecloud" }
  }
  backend "local" {
    path = "${stateDirectory}/p${n}.tfstate"
  }
}

provider "fakecloud" {
  dir = "${cloudDirectory}"
}

resource "fakecloud_object" "main" {
  name    = "o${n}"
  content = "${content}"
}
`;
}

/** Object and state as after an apply of `one`, written by hand: applying fifty modules first would take longer than the stories. */
export async function seedStory({ stateDirectory, cloud }: StoryPlaces, n: number): Promise<void> {
  const live = { name: `o${n}`, content: 'one', secret: null, tags: null, version: 1 };
  await cloud.put(live);
  const attributes = { ...live, id: `o${n}`, sleep_ms: null, fail_on_apply: null };
  const state = {
    version: 4,
    terraform_version: '1.5.0',
    serial: 1,
    lineage: `story-${n}`,
    outputs: {},
    resources: [
      {
        mode: 'managed',
        type: 'fakecloud_object',
        name: 'main',
        provider: 'provider["registry.terraform.io/holdfast/fakecloud"]',
        instances: [{ schema_version: 0, attributes }],
      },
    ],
    check_results: null,
  };
  const file = join(stateDirectory, `p${n}.tfstate`);
  await writeFile(file, JSON.stringify(state));
  await chmod(file, 0o666);
}
