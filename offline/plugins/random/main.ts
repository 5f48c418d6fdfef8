import { serve } from "../lib/serve.ts";
import { randomPlugin } from "./plugin.ts";

await serve(randomPlugin);
