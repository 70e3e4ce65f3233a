// A program with the types that are made from the document.
import type { components, operations } from "./quota-oracle";

type Offers = components["schemas"]["Offers"];
type Query = NonNullable<operations["list_offers"]["parameters"]["query"]>;

const query: Query = { gpu: ["H100"], min_gpu_count: 8, availability: ["available"] };

export function cheapest(page: Offers): string | undefined {
  const priced = page.offers.filter((offer) => offer.price != null);
  const offer = priced.at(0);
  // Each vocabulary is a union of its words, so that a misspelt one does not compile.
  if (offer === undefined || offer.availability === "no_quota") return undefined;
  // @ts-expect-error
  if (offer.availability === "noquota") return undefined;
  const required: number | null | undefined = offer.quota.binding?.required;
  return `${offer.instance_type} in ${offer.region} needs ${required} of ${query.gpu?.join()}`;
}

export const problem: components["schemas"]["Problem"]["type"] =
  "urn:quota-oracle:problem:unknown-backend";
